// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// jitney-bench-cache [FOLDER]: what the runtime cache's operations take, beside SQLite doing the same job: the same
// entries under the same keys, verified by the same digest. FOLDER is on the disk to be measured.
#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <stdexcept>

#include "cache/handle.h"
#include "cache/pack.h"
#include "util/atomic_file.h"
#include "util/file.h"
#include "util/hash.h"

using namespace jitney;
using cache::Key;
namespace fs = std::filesystem;

namespace {

constexpr int kEntries = 1000;
constexpr std::size_t kBlobBytes = 16'000;  // a kernel's binary
constexpr std::size_t kSourceBytes = 3'000;
constexpr int kProcesses = 8;

double microseconds(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count();
}

double median(std::vector<double> values) {
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
  return values[values.size() / 2];
}

/// Half of it repeats itself, as machine code does.
std::string noise(unsigned seed, std::size_t size) {
  std::mt19937 random(seed);
  std::string text(size, 'x');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i % 2 == 0 ? random() : i / 64 % 7);
  return text;
}

Key key_of(int n) {
  return Key()
      .add("kind", "kernel")
      .add("target", "x86-64-v3")
      .add("compiler", "clang 19")
      .add("source", fmt::format("kernel {} {}", n, std::string(kSourceBytes, 's')));
}

cache::Blob blob_of(int n) {
  const std::string text = noise(static_cast<unsigned>(n), kBlobBytes);
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

void require(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(what);
}

/// The peer: entries as blobs in one table, in write-ahead mode, with prepared statements and all of SQLite's caches.
class Database {
 public:
  Database(const std::string& path, bool durable) {
    check(sqlite3_open(path.c_str(), &db_));
    sqlite3_busy_timeout(db_, 10'000);
    run("PRAGMA journal_mode=WAL");
    run(durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=OFF");
    run("CREATE TABLE IF NOT EXISTS kernels (key TEXT PRIMARY KEY, entry BLOB NOT NULL) WITHOUT ROWID");
    check(sqlite3_prepare_v2(db_, "SELECT entry FROM kernels WHERE key = ?", -1, &find_, nullptr));
    check(sqlite3_prepare_v2(db_, "INSERT OR REPLACE INTO kernels VALUES (?, ?)", -1, &insert_, nullptr));
  }
  ~Database() {
    sqlite3_finalize(find_);
    sqlite3_finalize(insert_);
    sqlite3_close(db_);
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void run(const char* statement) { check(sqlite3_exec(db_, statement, nullptr, nullptr, nullptr)); }

  cache::Blob read(const Key& key) {
    sqlite3_bind_text(find_, 1, key.text().data(), static_cast<int>(key.text().size()), SQLITE_STATIC);
    require(sqlite3_step(find_) == SQLITE_ROW, "SQLite has no such entry");
    const auto* data = static_cast<const std::byte*>(sqlite3_column_blob(find_, 0));
    const std::vector<std::byte> entry(data, data + sqlite3_column_bytes(find_, 0));
    sqlite3_reset(find_);
    return *cache::decode_entry(entry, key);
  }
  void write(const Key& key, std::span<const std::byte> entry) {
    sqlite3_bind_text(insert_, 1, key.text().data(), static_cast<int>(key.text().size()), SQLITE_STATIC);
    sqlite3_bind_blob(insert_, 2, entry.data(), static_cast<int>(entry.size()), SQLITE_STATIC);
    const int done = sqlite3_step(insert_);
    sqlite3_reset(insert_);
    check(done == SQLITE_DONE ? SQLITE_OK : done);
  }
  std::size_t load_all() {
    sqlite3_stmt* all = nullptr;
    check(sqlite3_prepare_v2(db_, "SELECT key, entry FROM kernels", -1, &all, nullptr));
    std::size_t good = 0;
    std::vector<std::vector<std::byte>> kept;
    while (sqlite3_step(all) == SQLITE_ROW) {
      const auto* data = static_cast<const std::byte*>(sqlite3_column_blob(all, 1));
      kept.emplace_back(data, data + sqlite3_column_bytes(all, 1));
      good += cache::verify_entry(kept.back()).has_value();
    }
    sqlite3_finalize(all);
    return good;
  }

 private:
  void check(int code) const {
    if (code != SQLITE_OK) throw std::runtime_error(fmt::format("SQLite: {}", sqlite3_errmsg(db_)));
  }
  sqlite3* db_ = nullptr;
  sqlite3_stmt *find_ = nullptr, *insert_ = nullptr;
};

void report(const std::string& what, double ours, double theirs, const std::string& unit, const std::string& bound) {
  fmt::print("{:52} {:>9.1f} {:>9.1f} {} {:>6.2f}   {}\n", what, ours, theirs, unit, ours / theirs, bound);
}

struct Entries {
  std::vector<Key> keys;
  std::vector<cache::Blob> blobs;
  std::vector<std::vector<std::byte>> packed;

  Entries() {
    for (int i = 0; i < kEntries; ++i) {
      keys.push_back(key_of(i));
      blobs.push_back(blob_of(i));
      packed.push_back(*cache::encode_entry(keys.back(), blobs.back()));
    }
  }
};

std::string entry_path(const std::string& store, const Key& key) {
  const std::string name = key.file_name();
  return store + cache::folder_of(name) + "/" + cache::file_of(name);
}

/// What a hit cannot do without: the bytes, and their digest.
void read_and_digest(const std::string& path) {
  const unique_fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const auto bytes = read_all(file.get(), std::size_t{1} << 30);
  require(bytes && digest_of(*bytes) != Digest{}, "an entry cannot be read");
}

/// One process' hits; medians of `rounds`.
template <class F>
double hit_time(const Entries& entries, F read, int rounds = 3) {
  std::vector<double> times;
  for (int r = 0; r < rounds; ++r)
    for (int i = 0; i < kEntries; ++i) {
      const int n = i * 7 % kEntries;
      times.push_back(microseconds([&] { require(read(entries.keys[n]).size() == kBlobBytes, "a wrong entry"); }));
    }
  return median(std::move(times));
}

/// The median hit of eight processes at once, of which each tenth operation is a publish.
double contended(const std::function<std::function<double(int)>()>& open) {
  auto* results = static_cast<double*>(
      mmap(nullptr, sizeof(double) * kProcesses, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  std::vector<pid_t> children;
  for (int p = 0; p < kProcesses; ++p) {
    const pid_t child = fork();
    if (child == 0) {
      try {
        results[p] = open()(p);
        _exit(0);
      } catch (const std::exception& error) {
        fmt::print(stderr, "{}\n", error.what());
        _exit(1);
      }
    }
    children.push_back(child);
  }
  bool good = true;
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    good = good && status == 0;
  }
  require(good, "a process failed");
  std::vector<double> all(results, results + kProcesses);
  munmap(results, sizeof(double) * kProcesses);
  return median(std::move(all));
}

template <class Read, class Write>
double mixed(const Entries& entries, int process, Read read, Write write) {
  std::mt19937 random(static_cast<unsigned>(process));
  std::vector<double> times;
  for (int i = 0; i < 1500; ++i) {
    const auto n = random() % kEntries;
    if (i % 10 == 0)
      write(n);
    else
      times.push_back(microseconds([&] { require(read(entries.keys[n]).size() == kBlobBytes, "a wrong entry"); }));
  }
  return median(std::move(times));
}

void measure_store(const Entries& entries, const std::string& folder) {
  const std::string path = folder + "/store/";
  auto opened = [&](bool durable) { return *cache::StoreFiles::open(path, {.durable = durable}); };
  {
    const auto store = opened(false);
    for (int i = 0; i < kEntries; ++i) require(store->write(entries.keys[i], entries.blobs[i]).has_value(), "no store");
  }
  {
    Database database(folder + "/store.db", false);
    database.run("BEGIN");
    for (int i = 0; i < kEntries; ++i) database.write(entries.keys[i], entries.packed[i]);
    database.run("COMMIT");
  }
  std::vector<double> least, ours, theirs, beyond;
  for (int round = 0; round < 7; ++round) {
    std::vector<double> times;
    for (int i = 0; i < kEntries; ++i)
      times.push_back(microseconds([&] { read_and_digest(entry_path(path, entries.keys[i])); }));
    least.push_back(median(std::move(times)));
    const auto store = opened(false);
    ours.push_back(hit_time(entries, [&](const Key& key) { return *store->read(key); }, 1));
    beyond.push_back(ours.back() - least.back());
    Database database(folder + "/store.db", false);
    theirs.push_back(hit_time(entries, [&](const Key& key) { return database.read(key); }, 1));
  }
  report("a hit (SQLite: its page cache warm)", median(ours), median(theirs), "us", "");
  fmt::print("  beyond reading and digesting its bytes ({:.1f} us): {:.1f} us   bound 100\n", median(least),
             median(beyond));

  std::vector<double> contended_ours, contended_theirs;
  for (int round = 0; round < 3; ++round) {
    contended_ours.push_back(contended([&] {
      return [&, store = opened(false)](int p) {
        return mixed(
            entries, p, [&](const Key& key) { return *store->read(key); },
            [&](std::size_t n) { (void)store->write(entries.keys[n], entries.blobs[n]); });
      };
    }));
    contended_theirs.push_back(contended([&] {
      return [&, database = std::make_shared<Database>(folder + "/store.db", false)](int p) {
        return mixed(
            entries, p, [&](const Key& key) { return database->read(key); },
            [&](std::size_t n) { database->write(entries.keys[n], entries.packed[n]); });
      };
    }));
  }
  report("a hit, 8 processes, every 10th operation a publish", median(contended_ours), median(contended_theirs), "us",
         fmt::format("{:.2f} of one alone, bound 2 (SQLite {:.2f})", median(contended_ours) / median(ours),
                     median(contended_theirs) / median(theirs)));

  std::vector<double> plain, durable, raw, sqlite, sqlite_plain;
  const auto quick = opened(false), safe = opened(true);
  Database database(folder + "/publish.db", true), fast(folder + "/fast.db", false);
  fs::create_directories(folder + "/raw");
  const unique_fd raw_folder(open((folder + "/raw").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int i = 0; i < 150; ++i) {
    const Key key = key_of(kEntries + i);
    const cache::Blob blob = blob_of(kEntries + i);
    plain.push_back(microseconds([&] { require(quick->write(key, blob).has_value(), "not published"); }));
    const Key other = key_of(2 * kEntries + i);  // not there yet, either
    durable.push_back(microseconds([&] { require(safe->write(other, blob).has_value(), "not published"); }));
    const auto entry = *cache::encode_entry(key, blob);
    raw.push_back(microseconds([&] {
      const std::string at = fmt::format("{}/raw/{}", folder, i);
      const unique_fd file(open((at + ".tmp").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
      require(write(file.get(), entry.data(), entry.size()) == static_cast<ssize_t>(entry.size()), "not written");
      fsync(file.get());
      rename((at + ".tmp").c_str(), at.c_str());
      fsync(raw_folder.get());
    }));
    sqlite.push_back(microseconds([&] { database.write(key, *cache::encode_entry(key, blob)); }));
    sqlite_plain.push_back(microseconds([&] { fast.write(key, *cache::encode_entry(key, blob)); }));
  }
  report("publishing an entry, not synced", median(plain), median(sqlite_plain), "us", "bound 1000");
  report("publishing an entry, synced", median(durable), median(sqlite), "us",
         fmt::format("{:.0f} beside write, fsync, rename, fsync ({:.0f}), bound 1000", median(durable) - median(raw),
                     median(raw)));
}

void measure_packed(const Entries& entries, const std::string& folder) {
  std::vector<double> load_ours, load_theirs, save_ours, save_theirs, merge_ours, merge_theirs;
  cache::EntryTable table;
  for (int i = 0; i < kEntries; ++i) (void)table.insert_packed(entries.keys[i].text(), entries.packed[i], 1);
  for (int round = 0; round < 7; ++round) {
    const std::string path = fmt::format("{}/packed{}", folder, round);
    const auto saved = [](const std::string& to, cache::EntryTable& from) {
      require(cache::save_packed(to, from, {}).has_value(), "not saved");
    };
    save_ours.push_back(microseconds([&] { saved(path, table); }));
    const auto fill = [&](const std::string& to) {
      Database database(to, true);
      database.run("BEGIN");
      for (int i = 0; i < kEntries; ++i) database.write(entries.keys[i], entries.packed[i]);
      database.run("COMMIT");
    };
    save_theirs.push_back(microseconds([&] { fill(path + ".db"); }));
    load_ours.push_back(microseconds([&] {
      cache::EntryTable into;
      const auto loaded = cache::load_packed(path, into, {});
      require(loaded && loaded->added == kEntries, "not loaded");
    }));
    load_theirs.push_back(microseconds(
        [&] { require(Database(path + ".db", true).load_all() == kEntries, "SQLite loaded something else"); }));
    cache::EntryTable one;
    one.insert(key_of(kEntries + round).text(), std::make_shared<const cache::Blob>(blob_of(kEntries + round)));
    merge_ours.push_back(microseconds([&] { saved(path, one); }));
    const auto entry = *cache::encode_entry(key_of(kEntries + round), blob_of(kEntries + round));
    merge_theirs.push_back(microseconds([&] { Database(path + ".db", true).write(key_of(kEntries + round), entry); }));
  }
  const auto ms = [](const std::vector<double>& times) { return median(times) / 1000; };
  report("loading a packed cache of 1,000 entries", ms(load_ours), ms(load_theirs), "ms", "bound 20");
  report("saving one, synced", ms(save_ours), ms(save_theirs), "ms", "bound 50");
  report("merging one entry into 1,000, synced", ms(merge_ours), ms(merge_theirs), "ms", "");
}

}  // namespace

int main(int argc, char** argv) {
  std::string folder = std::string(argc > 1 ? argv[1] : ".") + "/jitney-cache-bench-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) {
    fmt::print(stderr, "cannot make a folder in '{}'\n", folder);
    return 3;
  }
  int code = 0;
  try {
    const Entries entries;
    fmt::print("{} entries of {} bytes, packed {}; SQLite {}\n{:52} {:>9} {:>9} {:>9}\n", kEntries, kBlobBytes,
               entries.packed[0].size(), sqlite3_libversion(), "", "Jitney", "SQLite", "ratio");
    measure_store(entries, folder);
    measure_packed(entries, folder);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    code = 1;
  }
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  return code;
}

// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cache/precompiled.h"

#include <algorithm>

#include "cache/pack.h"

namespace jitney::cache {
namespace {

std::string_view value_of(const Key& key, std::string_view name) {
  for (const auto& field : key.fields())
    if (field.first == name) return field.second;
  return {};
}

/// The key of an entry of the kind "kernel".
std::optional<Key> kernel_of(const PackContents::Item& item) {
  auto key = Key::parse(item.entry.key);
  if (!key || value_of(*key, "kind") != "kernel") return std::nullopt;
  return key;
}

Expected<PackContents> read(std::span<const std::byte> pack, const Hmac* signer) {
  PackContents contents = read_pack(pack, signer);
  if (contents.kind == PackContents::Kind::foreign) return user_error("precompiled kernels are no runtime cache");
  if (contents.kind == PackContents::Kind::newer)
    return user_error("precompiled kernels are in a format that this Jitney does not know");
  return contents;
}

}  // namespace

Expected<std::shared_ptr<Precompiled>> Precompiled::read(std::span<const std::byte> pack, const Hmac* signer) {
  // Somebody may change the file that the bytes are mapped from.
  const std::vector<std::byte> copy(pack.begin(), pack.end());
  JITNEY_TRY(const PackContents contents, cache::read(copy, signer));
  auto made = std::make_shared<Precompiled>();
  made->damaged_ = contents.damaged;
  made->unauthenticated_ = contents.unauthenticated;
  for (const auto& item : contents.items) {
    const auto key = kernel_of(item);
    if (!key || !made->table_.insert_packed(item.entry.key, item.bytes, 0)) continue;
    ++made->made_[std::string(value_of(*key, "target"))][std::string(value_of(*key, "compiler"))];
  }
  return made;
}

tl::expected<SharedBlob, Miss> Precompiled::find(const Key& key) {
  const bool is_there = table_.contains(key.text());
  if (auto blob = table_.find(key.text())) return blob;
  if (is_there) return tl::unexpected(Miss::damaged);
  Miss why = table_.explain_absence(key);
  // A kernel's source may follow from its target, too: then none is about the same subject.
  if (why == Miss::absent && !made_.empty() && !made_.contains(std::string(value_of(key, "target"))))
    why = Miss::other_device;
  if (why == Miss::absent && damaged_ != 0) why = Miss::damaged;
  if (why == Miss::absent && unauthenticated_ != 0) why = Miss::unauthenticated;
  return tl::unexpected(why);
}

std::vector<std::string> Precompiled::compilers(std::string_view target) const {
  std::vector<std::string> names;
  const auto add = [&](const auto& compilers) {
    for (const auto& [name, count] : compilers)
      if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  };
  if (const auto found = made_.find(std::string(target)); found != made_.end()) {
    add(found->second);
  } else {
    for (const auto& [other, compilers] : made_) add(compilers);
  }
  if (names.empty()) names.emplace_back();
  return names;
}

std::map<std::string, std::uint64_t> Precompiled::targets() const {
  std::map<std::string, std::uint64_t> counts;
  for (const auto& [target, compilers] : made_)
    for (const auto& [name, count] : compilers) counts[target] += count;
  return counts;
}

Expected<std::vector<std::byte>> kernels_of(std::span<const std::byte> pack, const Hmac* signer) {
  JITNEY_TRY(const PackContents contents, read(pack, signer));
  std::map<std::string_view, std::span<const std::byte>> sorted;
  for (const auto& item : contents.items)
    if (kernel_of(item)) sorted.emplace(item.entry.key, item.bytes);
  if (sorted.empty()) return std::vector<std::byte>();
  PackWriter writer;
  for (const auto& [key, bytes] : sorted) writer.add(bytes, 0);
  return writer.take();
}

}  // namespace jitney::cache

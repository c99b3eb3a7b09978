// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "util/hmac.h"

#if !defined(_WIN32)
#include <dlfcn.h>
#endif

namespace jitney {
namespace {

/// Of libcrypto's stable interface, what is used.
struct Crypto {
  using Method = const void* (*)();
  using Sign = unsigned char* (*)(const void* method, const void* key, int key_length, const unsigned char* bytes,
                                  std::size_t size, unsigned char* code, unsigned* code_length);
  using Compare = int (*)(const void*, const void*, std::size_t);
  Method sha256 = nullptr;
  Sign sign = nullptr;
  Compare compare = nullptr;
};

/// Never closed: it registers what runs at exit.
const Crypto& crypto() {
  static const Crypto loaded = [] {
    Crypto c;
#if !defined(_WIN32)
    void* const library = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return c;
    c.sha256 = reinterpret_cast<Crypto::Method>(dlsym(library, "EVP_sha256"));
    c.sign = reinterpret_cast<Crypto::Sign>(dlsym(library, "HMAC"));
    c.compare = reinterpret_cast<Crypto::Compare>(dlsym(library, "CRYPTO_memcmp"));
#endif
    return c;
  }();
  return loaded;
}

}  // namespace

Expected<std::shared_ptr<const Hmac>> Hmac::open(std::string secret) {
  const Crypto& c = crypto();
  if (c.sha256 == nullptr || c.sign == nullptr || c.compare == nullptr)
    return environment_error("OpenSSL's libcrypto.so.3, which authenticates cache entries, is not installed");
  return std::shared_ptr<const Hmac>(new Hmac(std::move(secret)));
}

Expected<Hmac::Code> Hmac::sign(std::span<const std::byte> bytes) const {
  const Crypto& c = crypto();
  Code code{};
  unsigned length = 0;
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  if (c.sign(c.sha256(), secret_.data(), static_cast<int>(secret_.size()), data, bytes.size(),
             reinterpret_cast<unsigned char*>(code.data()), &length) == nullptr ||
      length != kBytes)
    return environment_error("libcrypto cannot compute an HMAC-SHA256");
  return code;
}

bool Hmac::verify(std::span<const std::byte> bytes, std::span<const std::byte, kBytes> code) const {
  const auto right = sign(bytes);
  return right && crypto().compare(right->data(), code.data(), kBytes) == 0;
}

}  // namespace jitney

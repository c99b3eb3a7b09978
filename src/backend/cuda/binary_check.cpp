// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/binary_check.h"

#include <elf.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace jitney::backend::cuda {
namespace {

constexpr Elf64_Half kMachineCuda = 190;

bool fits(std::uint64_t offset, std::uint64_t bytes, std::size_t size) {
  return offset <= size && bytes <= size - offset;
}

template <class T>
T read(std::span<const std::byte> bytes, std::uint64_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

bool is_whole_cubin(std::span<const std::byte> b) {
  if (b.size() < sizeof(Elf64_Ehdr)) return false;
  const auto header = read<Elf64_Ehdr>(b, 0);
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != kMachineCuda) return false;
  if (header.e_shnum == 0 || header.e_shentsize != sizeof(Elf64_Shdr)) return false;
  if (!fits(header.e_shoff, std::uint64_t{header.e_shnum} * sizeof(Elf64_Shdr), b.size())) return false;
  for (Elf64_Half i = 0; i < header.e_shnum; ++i) {
    const auto section = read<Elf64_Shdr>(b, header.e_shoff + i * sizeof(Elf64_Shdr));
    if (section.sh_type != SHT_NOBITS && !fits(section.sh_offset, section.sh_size, b.size())) return false;
  }
  if (header.e_phnum != 0 && header.e_phentsize != sizeof(Elf64_Phdr)) return false;
  if (!fits(header.e_phoff, std::uint64_t{header.e_phnum} * sizeof(Elf64_Phdr), b.size())) return false;
  for (Elf64_Half i = 0; i < header.e_phnum; ++i) {
    const auto segment = read<Elf64_Phdr>(b, header.e_phoff + i * sizeof(Elf64_Phdr));
    if (!fits(segment.p_offset, segment.p_filesz, b.size())) return false;
  }
  return true;
}

}  // namespace

Expected<std::vector<std::byte>> checked_copy(std::span<const std::byte> binary) {
  const std::string_view text(reinterpret_cast<const char*>(binary.data()), binary.size());
  if (text.starts_with(ELFMAG)) {
    if (!is_whole_cubin(binary)) {
      return environment_error("a binary of {} bytes is no whole cubin: its tables do not lie inside it",
                               binary.size());
    }
  } else if (text.find(".version") == text.npos || text.find(".target") == text.npos) {
    return environment_error("a binary of {} bytes is neither a cubin nor PTX", binary.size());
  }
  std::vector<std::byte> copy(binary.begin(), binary.end());
  copy.push_back(std::byte{0});
  return copy;
}

}  // namespace jitney::backend::cuda

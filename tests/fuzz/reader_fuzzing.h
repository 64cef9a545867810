// What every reader of untrusted bytes must keep, whatever the bytes are.
#pragma once

#include <sanitizer/allocator_interface.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>
#include <vector>

#include "engine/model/mapped_file.h"
#include "vgg19/error.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t longest);

namespace vgg19::fuzzing {

/// Memory that the code under test holds.
class Memory {
  public:
    /// From now on no more than this beyond what is held now.
    static void limit(std::size_t bytes) {
        static const int installed = __sanitizer_install_malloc_and_free_hooks(allocated, freed);
        static_cast<void>(installed);
        held = 0;
        most = static_cast<std::ptrdiff_t>(bytes);
    }
    static void no_limit() { most = PTRDIFF_MAX; }

  private:
    static void allocated(const volatile void* /*memory*/, std::size_t size) {
        held += static_cast<std::ptrdiff_t>(size);
        if (held <= most) return;
        most = PTRDIFF_MAX;
        std::fputs("more memory than the input's size allows\n", stderr);
        std::abort();
    }
    static void freed(const volatile void* memory) {
        if (memory != nullptr) {
            held -=
                static_cast<std::ptrdiff_t>(__sanitizer_get_allocated_size(const_cast<const void*>(memory)));
        }
    }
    static inline std::ptrdiff_t held = 0;
    static inline std::ptrdiff_t most = PTRDIFF_MAX;
};

/// A message is short, and cannot control a terminal.
inline void check_message(std::string_view message) {
    constexpr std::size_t longest = 50'000;
    const bool controls = std::any_of(message.begin(), message.end(), [](char character) {
        return (static_cast<unsigned char>(character) < ' ' && character != '\n') || character == '\x7f';
    });
    if (message.size() <= longest && !controls) return;
    std::fprintf(stderr, "message of %zu bytes: %.*s\n", message.size(),
                 static_cast<int>(std::min<std::size_t>(message.size(), 1000)), message.data());
    std::abort();
}

/// Reads: a result, or an Error about the input with such a message; no more memory than `factor` bytes for
/// each byte of the input, and `fixed`.
template <class Read>
void check_reading(std::size_t input_bytes, std::size_t factor, std::size_t fixed, const Read& read) {
    Memory::limit(fixed + factor * input_bytes);
    try {
        read();
    } catch (const Error& error) {
        Memory::no_limit();
        check_message(error.what());
        if (error.kind() != ErrorKind::bad_input) std::abort();
    }
    Memory::no_limit();
}

inline std::span<const std::byte> as_bytes(const std::uint8_t* data, std::size_t size) {
    return std::as_bytes(std::span(data, size));
}

/// The input as a file.
inline model::MappedFile as_file(const std::uint8_t* data, std::size_t size) {
    return model::MappedFile::of_memory(as_bytes(data, size), nullptr);
}

/// Lets libFuzzer mutate a part of an input, which may grow by a few bytes.
template <class Text>
void mutate_part(Text& part) {
    const std::size_t size = part.size();
    const std::size_t longest = size + 16;
    part.resize(longest);
    part.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(part.data()), size, longest));
}

}  // namespace vgg19::fuzzing

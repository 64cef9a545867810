// A packed model file, as it is stored and as what is in it.
#include <algorithm>
#include <string>
#include <vector>

#include "engine/model/model_file.h"
#include "engine/model/packed_file.h"
#include "engine/model/safetensors_header.h"
#include "tests/fuzz/safetensors_mutator.h"

namespace {

using vgg19::model::MappedFile;

/// Of inputs whose content is mutated.
constexpr std::size_t longest_content = 100'000;

/// The content of a small packed file; empty if there is none.
std::vector<std::uint8_t> content_of(const std::uint8_t* data, std::size_t size) {
    try {
        MappedFile file = MappedFile::unpacked(vgg19::fuzzing::as_file(data, size));
        if (file.bytes().size() > longest_content) return {};
        file.use_all();
        const auto* begin = reinterpret_cast<const std::uint8_t*>(file.bytes().data());
        return {begin, begin + file.bytes().size()};
    } catch (const vgg19::Error&) {
        return {};
    }
}

}  // namespace

/// Few mutations of packed bytes leave a frame that can be unpacked, so that most are made to what is in it.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t longest,
                                               unsigned seed) {
    std::vector<std::uint8_t> content = content_of(data, size);
    if (content.empty() || seed % 4 == 0) return LLVMFuzzerMutate(data, size, longest);
    const std::size_t before = content.size();
    content.resize(2 * before + 64);
    content.resize(vgg19::fuzzing::mutate_safetensors(content.data(), before, content.size(), seed / 4));
    std::string packed;
    vgg19::model::Packer packer(
        [&](std::span<const std::byte> bytes) { packed += vgg19::model::as_text(bytes); });
    packer.write(vgg19::fuzzing::as_bytes(content.data(), content.size()));
    packer.finish();
    const std::size_t result = std::min(packed.size(), longest);
    std::copy_n(packed.begin(), result, data);
    return result;
}

// NOLINTNEXTLINE(readability-identifier-naming): the name is the fuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace vgg19::model;
    constexpr std::size_t factor = header_memory_factor * unpacked_header_factor;
    constexpr std::size_t fixed = header_memory_factor * least_unpacked_header + (std::size_t{1} << 20U);
    vgg19::fuzzing::check_reading(size, factor, fixed, [&] {
        MappedFile file = MappedFile::unpacked(vgg19::fuzzing::as_file(data, size));
        file.use_all();
    });
    vgg19::fuzzing::check_reading(size, factor, fixed, [&] {
        ModelFile::open(vgg19::fuzzing::as_file(data, size)).verify_checksums();
    });
    return 0;
}

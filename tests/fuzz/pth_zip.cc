// PyTorch's zip format. The mutator changes the files in the archive, and writes its directory anew.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "converter/import/testing/zip_writer.h"
#include "tests/fuzz/pickle_mutator.h"
#include "tests/fuzz/pth.h"

namespace {

using Files = std::vector<std::pair<std::string, std::string>>;

std::size_t number(std::string_view bytes, std::size_t at, std::size_t width) {
    std::size_t value = 0;
    for (std::size_t i = width; i-- > 0;) value = value << 8U | static_cast<unsigned char>(bytes[at + i]);
    return value;
}

/// The stored files by their local headers; none if one is of another kind.
std::optional<Files> files_of(std::string_view archive) {
    constexpr std::size_t header = 30;
    Files files;
    while (archive.starts_with("PK\x03\x04") && archive.size() >= header) {
        const std::size_t size = number(archive, 18, 4);
        const std::size_t name = number(archive, 26, 2);
        const std::size_t extra = number(archive, 28, 2);
        if (number(archive, 8, 2) != 0 || name + extra + size > archive.size() - header) return {};
        files.emplace_back(archive.substr(header, name), archive.substr(header + name + extra, size));
        archive.remove_prefix(header + name + extra + size);
    }
    return files;
}

void mutate_files(Files& files, unsigned seed) {
    std::minstd_rand random(seed);
    auto& [name, content] = files[random() % files.size()];
    switch (random() % 8) {
        case 0:
            return vgg19::fuzzing::mutate_part(name);
        case 1:
            files.push_back(files[random() % files.size()]);
            return;
        case 2:
            files.erase(files.begin() + static_cast<std::ptrdiff_t>(random() % files.size()));
            return;
        default:
            break;
    }
    const auto pickle = std::find_if(files.begin(), files.end(),
                                     [](const auto& file) { return file.first.ends_with("data.pkl"); });
    if (pickle == files.end() || random() % 4 == 0) return vgg19::fuzzing::mutate_part(content);
    pickle->second = vgg19::fuzzing::PickleMutator(seed).mutated(pickle->second);
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t longest,
                                               unsigned seed) {
    std::optional<Files> files = files_of({reinterpret_cast<const char*>(data), size});
    if (!files || files->empty() || seed % 8 == 0) return LLVMFuzzerMutate(data, size, longest);
    mutate_files(*files, seed);
    const std::string archive = vgg19::converter::testing::zip_file(*files);
    if (archive.size() > longest) return LLVMFuzzerMutate(data, size, longest);
    std::copy(archive.begin(), archive.end(), data);
    return archive.size();
}

// NOLINTNEXTLINE(readability-identifier-naming): the name is the fuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    vgg19::fuzzing::read_weights(data, size);
    return 0;
}

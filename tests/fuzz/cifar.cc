// CIFAR-10's binary files must give labelled pictures, or an Error about the input.
#include "converter/data/cifar.h"

#include "tests/fuzz/reader_fuzzing.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name is the fuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::size_t fixed = std::size_t{1} << 16U;
    vgg19::fuzzing::check_reading(size, 8, fixed, [&] {
        std::vector<vgg19::model::MappedFile> files;
        files.push_back(vgg19::fuzzing::as_file(data, size));
        const auto set = vgg19::converter::open_cifar(std::move(files));
        for (std::size_t item = 0; item < set->size(); ++item) {
            if (set->label(item).value_or(10) >= 10) std::abort();
            if (set->picture(item).rgb.size() != 32 * 32 * 3) std::abort();
        }
    });
    return 0;
}

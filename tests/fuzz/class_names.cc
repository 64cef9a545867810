// Files of class names, as text or JSON, must give names, or an Error about the input.
#include "converter/class_names.h"

#include "tests/fuzz/reader_fuzzing.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name is the fuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::size_t fixed = std::size_t{1} << 16U;
    vgg19::fuzzing::check_reading(size, 256, fixed, [&] {
        const auto names = vgg19::converter::read_class_names(vgg19::fuzzing::as_file(data, size), 0);
        for (const std::string& name : names) {
            if (name.empty() || name.size() > 2100) std::abort();
        }
    });
    return 0;
}

// Label maps must give a class for each class of the data set, or an Error about the input.
#include "converter/evaluate/label_map.h"

#include "tests/fuzz/reader_fuzzing.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name is the fuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const vgg19::converter::ModelClasses imagenet(1000);
    static const vgg19::converter::ModelClasses own(3, {"cat", "dog", "golden retriever"});
    constexpr std::size_t fixed = std::size_t{1} << 16U;
    for (const auto* model : {&imagenet, &own}) {
        vgg19::fuzzing::check_reading(size, 8, fixed, [&] {
            const auto map = vgg19::converter::read_label_map(vgg19::fuzzing::as_file(data, size),
                                                              {"cat", "dog 7"}, *model);
            if (map.size() != 2 || map[0] >= model->count() || map[1] >= model->count()) std::abort();
        });
    }
    return 0;
}

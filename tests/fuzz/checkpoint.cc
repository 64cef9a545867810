// Checkpoints of fine-tuning must open, or give an Error about the input.
#include "converter/finetune/checkpoint.h"

#include "tests/fuzz/safetensors_mutator.h"

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t longest,
                                               unsigned seed) {
    return vgg19::fuzzing::mutate_safetensors(data, size, longest, seed);
}

// NOLINTNEXTLINE(readability-identifier-naming): the name is the fuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace converter = vgg19::converter;
    constexpr std::size_t fixed = std::size_t{1} << 16U;
    vgg19::fuzzing::check_reading(size, 64, fixed, [&] {
        const auto checkpoint = converter::Checkpoint::open(vgg19::fuzzing::as_file(data, size));
        try {
            checkpoint.require_settings({{"epochs", 2}, {"learning_rate", 0.5}});
        } catch (const vgg19::Error& error) {
            vgg19::fuzzing::check_message(error.what());
        }
        std::array<float, 4> values{};
        std::array<std::size_t, 2> shape = {2, 2};
        const std::vector<converter::Parameter> kept = {
            {.name = "head", .shape = {shape.begin(), shape.end()}, .values = values, .gradient = {}}};
        checkpoint.restore_kept(kept);
    });
    return 0;
}

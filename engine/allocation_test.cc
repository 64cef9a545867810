// A run and a gradient allocate nothing: tests that by counting.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "engine/testing/narrow_model.h"
#include "kernels/common/testing/isas.h"
#include "vgg19/vgg19.hpp"

namespace {

std::atomic<std::size_t> allocations = 0;

}  // namespace

// NOLINTBEGIN(*-no-malloc,*-owning-memory): the whole program's.
void* operator new(std::size_t size) {
    ++allocations;
    void* const memory = std::malloc(size == 0 ? 1 : size);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}
void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
    ++allocations;
    return std::malloc(size == 0 ? 1 : size);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
    std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t /*size*/) noexcept {
    std::free(memory);
}
// NOLINTEND(*-no-malloc,*-owning-memory)

namespace vgg19 {

TEST_CASE("a run and a gradient allocate nothing, whatever the outputs are") {
    kernels::testing::Random random;
    const testing::TemporaryFolder folder;
    testing::write_narrow_model(folder / "model", random, 10, model::DenseOrder::input_major);
    const Model model = Model::open(folder / "model");
    for (const std::string& isa : kernels::testing::isa_names_of_this_cpu()) {
        for (const bool gradients : {false, true}) {
            CAPTURE(isa);
            CAPTURE(gradients);
            SessionOptions options = {.threads = 3, .batch = 2, .isa = isa};
            options.set_input_size(MapSize(48, 70));
            options.outputs = {"conv1_1", "relu1_2", "pool3", "conv5_1", "avgpool",
                               "fc6",     "relu7",   "fc8",   "fc8",     "probabilities"};
            options.gradients = gradients;
            Session session(model, options);
            std::vector<float> input(2 * 3 * options.input_size().pixels());
            random.fill(input, -1.0F, 1.0F);
            std::vector<std::vector<float>> values;
            for (const Output& output : session.outputs()) values.emplace_back(output.size());
            const std::vector<std::span<float>> results(values.begin(), values.end());
            session.run(input, results);  // starts threads
            const std::vector<std::span<const float>> result_gradients(values.begin(), values.end());
            std::vector<float> gradient(input.size());
            const std::size_t before = allocations;
            session.run(input, results);
            if (gradients) session.backward(result_gradients, gradient);
            CHECK(allocations == before);
        }
    }
}

}  // namespace vgg19

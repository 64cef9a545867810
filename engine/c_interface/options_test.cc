// Structs of options in other versions than this one, and functions of the caller.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/testing/narrow_model.h"
#include "kernels/common/testing/guarded_buffer.h"
#include "vgg19/vgg19.h"

namespace vgg19 {

namespace {

using kernels::testing::GuardedBuffer;

/// vgg19_session_options as in version 0.1.
struct FirstOptions {
    std::size_t struct_size;
    int threads;
    std::size_t input_height;
    std::size_t input_width;
    std::size_t batch;
    const char* isa;
    const char* convolution;
};

/// As a later version may be.
struct LaterOptions {
    vgg19_session_options known;
    const char* later;
};

struct CModel {
    kernels::testing::Random random;
    testing::TemporaryFolder folder;
    vgg19_model* model = nullptr;

    CModel() {
        testing::write_narrow_model(folder / "narrow", random);
        REQUIRE(vgg19_model_open((folder / "narrow").c_str(), &model) == VGG19_OK);
    }
    ~CModel() { vgg19_model_close(model); }
    CModel(const CModel&) = delete;
    CModel& operator=(const CModel&) = delete;

    /// Those of a session with these options, whatever their version; the status if there is no session.
    template <class Options>
    vgg19_status run(const Options& options, std::vector<float>& logits) const {
        vgg19_session* session = nullptr;
        const vgg19_status status =
            vgg19_session_create(model, reinterpret_cast<const vgg19_session_options*>(&options), &session);
        CHECK((session == nullptr) == (status != VGG19_OK));
        if (status != VGG19_OK) return status;
        const std::vector<float> input(
            3 * vgg19_session_input_height(session) * vgg19_session_input_width(session), 0.5F);
        logits.assign(vgg19_model_classes(model), 0);
        const vgg19_status ran =
            vgg19_session_run(session, input.data(), input.size(), logits.data(), logits.size());
        vgg19_session_destroy(session);
        return ran;
    }
    std::vector<float> logits(const vgg19_session_options& options) const {
        std::vector<float> values;
        REQUIRE(run(options, values) == VGG19_OK);
        return values;
    }
};

vgg19_session_options current_options() {
    vgg19_session_options options = {};
    options.struct_size = sizeof options;
    options.threads = 2;
    options.input_height = 40;
    options.input_width = 56;
    options.isa = "portable";
    return options;
}

bool last_error_has(const std::string& part) {
    return std::string(vgg19_last_error()).find(part) != std::string::npos;
}

/// Counts what the library asks of its caller.
struct Caller {
    std::size_t loops = 0;
    std::size_t bytes = 0;
    std::vector<std::string> lines;
};

void loop_in_order(void* context, std::size_t count, vgg19_task task, void* task_context) {
    ++static_cast<Caller*>(context)->loops;
    for (std::size_t i = 0; i < count; ++i) task(task_context, i);
}
void* allocate(void* context, std::size_t bytes, std::size_t alignment) {
    static_cast<Caller*>(context)->bytes += bytes;
    return std::aligned_alloc(alignment, bytes);
}
void deallocate(void* context, void* memory, std::size_t bytes) {
    static_cast<Caller*>(context)->bytes -= bytes;
    std::free(memory);
}
void log_line(void* context, vgg19_log_level level, const char* message) {
    static_cast<Caller*>(context)->lines.push_back(std::to_string(level) + " " + message);
}

}  // namespace

TEST_CASE("a caller's older struct of options is accepted, and nothing behind it is read") {
    const CModel c;
    const std::vector<float> expected = c.logits(current_options());
    GuardedBuffer<FirstOptions> options(1);
    options[0] = {.struct_size = sizeof(FirstOptions),
                  .threads = 2,
                  .input_height = 40,
                  .input_width = 56,
                  .isa = "portable"};
    std::vector<float> found;
    REQUIRE(c.run(options[0], found) == VGG19_OK);
    CHECK(found == expected);
    options[0].convolution = "direct";  // the last field
    REQUIRE(c.run(options[0], found) == VGG19_OK);
    CHECK(found != expected);
    options[0].convolution = "no such";
    CHECK(c.run(options[0], found) == VGG19_USAGE);
}

TEST_CASE("every size from the first version's to this one's is some version's") {
    const CModel c;
    const std::vector<float> expected = c.logits(current_options());
    for (std::size_t size = sizeof(FirstOptions); size <= sizeof(vgg19_session_options);
         size += sizeof(void*)) {
        CAPTURE(size);
        vgg19_session_options options = current_options();
        options.struct_size = size;
        std::memset(reinterpret_cast<char*>(&options) + size, 0xFF, sizeof options - size);  // not read
        std::vector<float> found;
        REQUIRE(c.run(options, found) == VGG19_OK);
        CHECK(found == expected);
    }
}

TEST_CASE("a caller's newer struct of options is accepted if it leaves unknown fields at zero") {
    const CModel c;
    LaterOptions options = {.known = current_options(), .later = nullptr};
    options.known.struct_size = sizeof options;
    std::vector<float> found;
    REQUIRE(c.run(options, found) == VGG19_OK);
    CHECK(found == c.logits(current_options()));
    options.later = "a wish";
    CHECK(c.run(options, found) == VGG19_USAGE);
    CHECK(last_error_has("does not know these fields"));
}

TEST_CASE("a struct_size that no version has is refused") {
    const CModel c;
    vgg19_session_options options = current_options();
    std::vector<float> found;
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{3}, sizeof(FirstOptions) - 8, sizeof(FirstOptions) + 4,
          sizeof options + 1, SIZE_MAX, SIZE_MAX / 8 * 8}) {
        options.struct_size = size;
        CHECK(c.run(options, found) == VGG19_USAGE);
        CHECK(last_error_has("vgg19_session_options: struct_size: expected"));
        CHECK(last_error_has("found " + std::to_string(size)));
    }
}

TEST_CASE("threads, memory and log of a caller in C") {
    const CModel c;
    const std::vector<float> expected = c.logits(current_options());
    Caller caller;
    vgg19_session_options options = current_options();
    options.parallel_for = loop_in_order;
    options.parallel_for_context = &caller;
    options.allocate = allocate;
    options.deallocate = deallocate;
    options.workspace_context = &caller;
    options.log = log_line;
    options.log_context = &caller;
    vgg19_session* session = nullptr;
    REQUIRE(vgg19_session_create(c.model, &options, &session) == VGG19_OK);
    CHECK(caller.bytes >= std::size_t{4} * 40 * 56 * sizeof(float));
    REQUIRE(!caller.lines.empty());
    CHECK(caller.lines.back().starts_with("0 "));
    CHECK(caller.lines.back().find(vgg19_session_step_kernel(
              session, vgg19_session_step_count(session) - 1)) != std::string::npos);
    vgg19_session_destroy(session);
    CHECK(caller.bytes == 0);
    CHECK(c.logits(options) == expected);
    CHECK(caller.loops > 0);
    CHECK(caller.bytes == 0);
}

TEST_CASE("a C caller's memory needs both functions, and null is an error") {
    const CModel c;
    vgg19_session_options options = current_options();
    std::vector<float> found;
    options.allocate = [](void*, std::size_t, std::size_t) -> void* { return nullptr; };
    CHECK(c.run(options, found) == VGG19_USAGE);
    CHECK(last_error_has("deallocate, with allocate"));
    options.deallocate = [](void*, void*, std::size_t) {};
    CHECK(c.run(options, found) == VGG19_FAILED);
    CHECK(last_error_has("allocate: expected "));
    options.allocate = nullptr;
    CHECK(c.run(options, found) == VGG19_USAGE);
    CHECK(last_error_has("allocate, with deallocate"));
}

TEST_CASE("no exception of a caller's function leaves the C interface") {
    const CModel c;
    std::vector<float> found;
    vgg19_session_options options = current_options();
    options.parallel_for = [](void*, std::size_t, vgg19_task, void*) {
        throw std::runtime_error("a loop's");
    };
    CHECK(c.run(options, found) == VGG19_FAILED);
    CHECK(last_error_has("a loop's"));
    options = current_options();
    options.log = [](void*, vgg19_log_level, const char*) { throw 7; };  // NOLINT(*-exception-*)
    CHECK(c.run(options, found) == VGG19_FAILED);
    CHECK(last_error_has("unknown failure"));
}

TEST_CASE("names of outputs in C are a list of texts") {
    const CModel c;
    std::vector<float> found;
    vgg19_session_options options = current_options();
    options.output_count = 2;
    CHECK(c.run(options, found) == VGG19_USAGE);
    CHECK(last_error_has("outputs: expected a pointer"));
    const char* const names[] = {"relu1_1", nullptr};
    options.outputs = names;
    CHECK(c.run(options, found) == VGG19_USAGE);
    CHECK(last_error_has("outputs[1]: expected a pointer"));
}

TEST_CASE("an error in one field, when all others are set, is a status") {
    const CModel c;
    std::vector<float> found;
    const char* const names[] = {"relu1_1", "a name that is too long to be stored in a string itself"};
    vgg19_session_options good = current_options();
    good.isa = "portable, and more text than a string stores in itself";
    good.convolution = "direct, and more text than a string stores in itself";
    good.plan_file = "a file, and more text than a string stores in itself";
    good.outputs = names;
    good.output_count = 2;
    good.parallel_for = [](void*, std::size_t, vgg19_task, void*) {};
    good.log = [](void*, vgg19_log_level, const char*) {};

    vgg19_session_options options = good;
    options.allocate = [](void*, std::size_t, std::size_t) -> void* { return nullptr; };
    CHECK(c.run(options, found) == VGG19_USAGE);
    CHECK(last_error_has("deallocate, with allocate"));
    options = good;
    options.deallocate = [](void*, void*, std::size_t) {};
    CHECK(c.run(options, found) == VGG19_USAGE);
    CHECK(last_error_has("allocate, with deallocate"));
    options = good;
    options.pooling = static_cast<vgg19_pooling>(3);
    CHECK(c.run(options, found) == VGG19_USAGE);
    CHECK(last_error_has("pooling: expected"));
    options = good;
    options.outputs = nullptr;
    CHECK(c.run(options, found) == VGG19_USAGE);
    CHECK(last_error_has("outputs: expected a pointer"));
}

TEST_CASE("the pools of a session in C") {
    const CModel c;
    vgg19_session_options options = current_options();
    const std::vector<float> expected = c.logits(options);
    options.pooling = VGG19_POOLING_MAX;
    CHECK(c.logits(options) == expected);
    options.pooling = VGG19_POOLING_AVERAGE;
    CHECK(c.logits(options) != expected);
    options.pooling = static_cast<vgg19_pooling>(3);
    std::vector<float> found;
    CHECK(c.run(options, found) == VGG19_USAGE);
    CHECK(last_error_has("pooling: expected"));
}

}  // namespace vgg19

// What requests take of memory, and what happens where there is none.
#include <doctest/doctest.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/testing/allocation_meter.h"
#include "tools/serve/infer.h"
#include "tools/serve/job.h"
#include "tools/serve/testing/fake_runner.h"

namespace {

using namespace vgg19::server;

constexpr std::size_t side = 4;
constexpr std::size_t values = 3 * side * side;
constexpr std::size_t classes = 50;
const std::string head = R"({"inputs":[{"name":"input","datatype":"FP32",)";

std::string repeated(const std::string& text, std::size_t count) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i) all += text;
    return all;
}

std::string shape_of(std::size_t images) {
    return R"("shape":[)" + std::to_string(images) + ",3,4,4]";
}

/// A request's bytes beyond its body, its answer included.
std::size_t peak_of_request(const std::string& body, std::optional<std::size_t> json_bytes) {
    return vgg19::testing::peak_of([&] {
        try {
            const InferRequest request = parse_infer_request(body, json_bytes, side);
            const std::vector<float> logits(request.images * classes, -1.1754943508222875e-38F);
            static_cast<void>(infer_answer("model", request, logits));
        } catch (const Problem&) {  // refused, but not before it took its memory
        }
    });
}

}  // namespace

TEST_CASE("a request of the infer protocol takes no more memory than is said before it is read") {
    const std::size_t images = 500;
    const std::string zeros = "[0" + repeated(",0", images * values - 1) + "]";
    std::string keys;
    for (int i = 0; i < 20'000; ++i) keys += "\"\\n" + std::to_string(i) + "\":0,";
    const std::vector<std::string> bodies = {
        head + shape_of(images) + R"(,"data":)" + zeros + "}]}",
        head + R"("data":)" + zeros + "," + shape_of(images) + "}]}",
        head + R"("shape":)" + zeros + "}]}",
        head + R"("x":)" + zeros + "}]}",
        "{" + keys + "\"id\":7}",
        R"({"id":")" + std::string(300'000, 'i') + R"(","x":")" + repeated("\\u00e9", 50'000) + "\"}",
        repeated("[", 60) + zeros + repeated("]", 60),
        R"({"x":)" + repeated(R"({"a":)", 60) + "0" + repeated("}", 60) + "}",
    };
    for (const std::string& body : bodies) {
        CAPTURE(body.substr(0, 60));
        CHECK(peak_of_request(body, {}) <= infer_bytes(body.size(), 0, side, classes));
    }
    for (const char* output : {"true", "false"}) {
        const std::string json = head + shape_of(images) + R"(,"parameters":{"binary_data_size":)" +
                                 std::to_string(images * values * sizeof(float)) +
                                 R"(}}],"parameters":{"binary_data_output":)" + output + "}}";
        const std::size_t bytes = images * values * sizeof(float);
        CHECK(peak_of_request(json + std::string(bytes, '\0'), json.size()) <=
              infer_bytes(json.size(), bytes, side, classes));
    }
}

TEST_CASE("a job ends at whichever allocation fails, and gives its memory back") {
    FakeRunner runner;
    MemoryBudget budget(10'000'000);
    for (const Mode mode : {Mode::parallel, Mode::rounds}) {
        bool always_ends = true;
        bool always_tells = true;
        const long failed = vgg19::testing::fail_each_allocation([&] {
            const auto job =
                new_job(runner, {.variants = {0, 1, 2}, .mode = mode, .rounds = 2}, one_pixel, budget);
            bool is_told = false;
            job->when_finished([&is_told] { is_told = true; });
            job->run();
            always_tells &= is_told;
            always_ends &= job->events().ended().has_value();
            const bool has_answer = !job->failure() || job->failure()->status() == 503;
            always_ends &= has_answer;
        });
        CHECK(failed > 50);
        CHECK(always_ends);
        CHECK(always_tells);
        CHECK(budget.held().usage().reserved == 0);
        CHECK(budget.working().usage().reserved == 0);
    }
}

TEST_CASE("who follows a job learns of its end where there is no memory to tell it") {
    MemoryPool nothing(0);
    EventLog log(&nothing);
    CHECK_THROWS_AS(log.add("started", {}), Problem);
    CHECK_FALSE(log.find(1).has_value());
    log.end_without_memory();
    CHECK(log.find(1)->name == "failed");
    CHECK(log.find(2)->name == "done");
    CHECK_FALSE(log.find(3).has_value());
    CHECK_FALSE(log.is_over_after(1));
    CHECK(log.is_over_after(2));
}

// What a program that embeds the library hands to its sessions: threads, memory, a log.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>
#include <memory>
#include <memory_resource>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "engine/program/tuned_machine.h"
#include "engine/testing/environment_variable.h"
#include "engine/testing/error_of.h"
#include "engine/testing/narrow_model.h"
#include "kernels/common/parallel.h"
#include "kernels/common/testing/isas.h"
#include "vgg19/vgg19.hpp"

namespace vgg19 {

namespace {

struct NarrowModel {
    kernels::testing::Random random;
    testing::TemporaryFolder folder;
    Model model = make();
    std::vector<float> input = make_input();

    Model make() {
        // Input-major, so that a small input's average pool is folded into weights, by a loop.
        testing::write_narrow_model(folder / "narrow", random, 10, model::DenseOrder::input_major);
        return Model::open(folder / "narrow");
    }
    std::vector<float> make_input() {
        std::vector<float> values(std::size_t{3} * 40 * 56);
        random.fill(values, -2.0F, 2.0F);
        return values;
    }
    static SessionOptions options() { return {.threads = 3, .input_height = 40, .input_width = 56}; }
    std::vector<float> logits(Session& session) const {
        std::vector<float> output(model.classes());
        session.run(input, output);
        return output;
    }
    std::vector<float> logits(const SessionOptions& options) const {
        Session session(model, options);
        return logits(session);
    }
};

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

/// A thread for each call.
void on_new_threads(std::size_t count, const std::function<void(std::size_t)>& call) {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < count; ++i) threads.emplace_back([&call, i] { call(i); });
}

/// Counts what is out, and fails from a number of allocations on.
struct CallersMemory final : std::pmr::memory_resource {
    void* do_allocate(std::size_t size, std::size_t alignment) override {
        if (calls++ >= most_calls) throw std::logic_error("no memory");
        bytes += size;
        most_bytes = std::max(bytes, most_bytes);
        thread = std::this_thread::get_id();
        return std::pmr::new_delete_resource()->allocate(size, alignment);
    }
    void do_deallocate(void* data, std::size_t size, std::size_t alignment) override {
        bytes -= size;
        std::pmr::new_delete_resource()->deallocate(data, size, alignment);
    }
    bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

    std::size_t bytes = 0;
    std::size_t most_bytes = 0;
    std::size_t calls = 0;
    std::size_t most_calls = SIZE_MAX;
    std::thread::id thread;
};

struct Lines {
    std::vector<std::string> of[3];
    Log log() {
        return [this](LogLevel level, std::string_view message) {
            of[static_cast<std::size_t>(level)].emplace_back(message);
        };
    }
    const std::vector<std::string>& warnings() const {
        return of[static_cast<std::size_t>(LogLevel::warning)];
    }
};

}  // namespace

TEST_CASE("a session on a caller's threads gives the same bits, on every ISA") {
    NarrowModel narrow;
    INFO(narrow.random.replay());
    for (const kernels::Isa isa : kernels::testing::isas_of_this_cpu()) {
        SessionOptions options = NarrowModel::options();
        options.isa = kernels::isa_name(isa);
        options.convolution = "winograd";
        const std::vector<float> expected = narrow.logits(options);
        std::size_t most_calls = 0;
        options.parallel_for = [&](std::size_t count, const std::function<void(std::size_t)>& call) {
            most_calls = std::max(count, most_calls);
            on_new_threads(count, call);
        };
        CHECK(same_bits(narrow.logits(options), expected));
        CHECK(most_calls == 3);
        options.parallel_for = [](std::size_t count, const std::function<void(std::size_t)>& call) {
            for (std::size_t i = count; i-- > 0;) call(i);
        };
        CHECK(same_bits(narrow.logits(options), expected));
    }
}

TEST_CASE("sessions on a caller's threads run at the same time, each on its own function") {
    NarrowModel narrow;
    const std::vector<float> expected = narrow.logits(NarrowModel::options());
    std::atomic<int> wrong = 0;
    {
        std::vector<std::jthread> callers;
        for (int caller = 0; caller < 3; ++caller) {
            callers.emplace_back([&, caller] {
                SessionOptions options = NarrowModel::options();
                if (caller > 0) options.parallel_for = on_new_threads;
                Session session(narrow.model, options);
                for (int round = 0; round < 3; ++round) {
                    if (!same_bits(narrow.logits(session), expected)) ++wrong;
                }
            });
        }
    }
    CHECK(wrong == 0);
}

TEST_CASE("what a caller's parallel loop throws leaves the call as it is, and the session can run again") {
    NarrowModel narrow;
    const std::vector<float> expected = narrow.logits(NarrowModel::options());
    int loops = 0;
    int failing = 0;
    SessionOptions options = NarrowModel::options();
    options.parallel_for = [&](std::size_t count, const std::function<void(std::size_t)>& call) {
        if (++loops == failing) throw std::out_of_range("the caller's own");
        on_new_threads(count, call);
    };
    failing = 1;
    CHECK_THROWS_WITH_AS(Session(narrow.model, options), "the caller's own", std::out_of_range);
    failing = 0;
    Session session(narrow.model, options);
    loops = 0;
    narrow.logits(session);
    const int loops_of_run = loops;
    REQUIRE(loops_of_run > 3);
    for (int i = 1; i <= loops_of_run; ++i) {
        loops = 0;
        failing = i;
        CHECK_THROWS_WITH_AS(narrow.logits(session), "the caller's own", std::out_of_range);
        failing = 0;
        CHECK(same_bits(narrow.logits(session), expected));
    }
}

TEST_CASE("a session that a caller's function calls during a run refuses, and the run is right") {
    NarrowModel narrow;
    const std::vector<float> expected = narrow.logits(NarrowModel::options());
    std::optional<Session> session;
    std::vector<float> input = narrow.input;
    std::size_t refused = 0;
    bool calls_again = false;
    const auto call_again = [&] {
        if (!calls_again) return;
        std::vector<float> logits(expected.size());
        const auto is_in_use = [&](const auto& call) {
            return testing::error_of(ErrorKind::usage, call) == testing::Containing("the session is in use");
        };
        CHECK(is_in_use([&] { session->run(input, logits); }));
        CHECK(is_in_use([&] { session->backward({}, {}); }));
        CHECK(is_in_use([&] { session->reshape(64); }));
        ++refused;
    };
    SessionOptions options = NarrowModel::options();
    options.parallel_for = [&](std::size_t count, const std::function<void(std::size_t)>& call) {
        call_again();
        for (std::size_t i = 0; i < count; ++i) call(i);
    };
    session.emplace(narrow.model, options);
    calls_again = true;
    CHECK(same_bits(narrow.logits(*session), expected));
    CHECK(refused > 0);
}

namespace {

/// A session with gradients, and what its runs give.
struct TrainingSession {
    const NarrowModel& narrow;
    Session session;

    TrainingSession(const NarrowModel& model, SessionOptions options)
        : narrow(model), session(model.model, with_outputs(std::move(options))) {}

    static SessionOptions with_outputs(SessionOptions options) {
        options.outputs = {"conv2_1", "relu4_2", "fc6"};
        options.gradients = true;
        return options;
    }
    /// The outputs one after another, and the gradient of half the sum of their squares.
    std::vector<float> run(const RunOptions& options = {}) {
        std::vector<std::vector<float>> values;
        std::vector<std::span<float>> results;
        std::vector<std::span<const float>> gradients;
        for (const Output& output : session.outputs()) {
            gradients.emplace_back(results.emplace_back(values.emplace_back(output.size())));
        }
        const std::size_t count = session.batch() * 3 * session.input_size().pixels();
        std::vector<float> input(narrow.input);
        input.resize(count, 0.25F);
        std::vector<float> all(count);
        session.run(input, results, options);
        session.backward(gradients, all, options);
        for (const std::vector<float>& result : values) all.insert(all.end(), result.begin(), result.end());
        return all;
    }
};

}  // namespace

TEST_CASE("outputs, gradients and re-planning on a caller's threads give the same bits") {
    NarrowModel narrow;
    INFO(narrow.random.replay());
    TrainingSession own(narrow, NarrowModel::options());
    SessionOptions options = NarrowModel::options();
    std::size_t loops = 0;
    options.parallel_for = [&](std::size_t count, const std::function<void(std::size_t)>& call) {
        ++loops;
        on_new_threads(count, call);
    };
    TrainingSession callers(narrow, options);
    const std::vector<float> expected = own.run();
    CHECK(same_bits(callers.run(), expected));
    CHECK(loops > 0);
    own.session.reshape({33, 70}, 2);
    callers.session.reshape({33, 70}, 2);
    CHECK(same_bits(callers.run(), own.run()));
}

TEST_CASE("what a caller's functions throw during gradients leaves them as it is") {
    NarrowModel narrow;
    int loops = 0;
    int failing = 0;
    SessionOptions options = NarrowModel::options();
    options.parallel_for = [&](std::size_t count, const std::function<void(std::size_t)>& call) {
        if (++loops == failing) throw std::out_of_range("the caller's own");
        on_new_threads(count, call);
    };
    TrainingSession training(narrow, options);
    loops = 0;
    const std::vector<float> expected = training.run();
    const int loops_of_both = loops;
    for (int i = 1; i <= loops_of_both; i += 3) {
        loops = 0;
        failing = i;
        CHECK_THROWS_WITH_AS(training.run(), "the caller's own", std::out_of_range);
        failing = 0;
        CHECK(same_bits(training.run(), expected));
    }
    int steps = 0;
    const RunOptions throwing = {.is_cancelled = [&]() -> bool {
        if (--steps < 0) throw std::domain_error("cancelled by a throw");
        return false;
    }};
    for (const int steps_before : {0, 7, static_cast<int>(training.session.plan().size()) + 3}) {
        steps = steps_before;
        CHECK_THROWS_WITH_AS(training.run(throwing), "cancelled by a throw", std::domain_error);
        CHECK(same_bits(training.run(), expected));
    }
}

TEST_CASE("a workspace that fails leaves a session as it was when it is planned again") {
    NarrowModel narrow;
    CallersMemory memory;
    SessionOptions options = NarrowModel::options();
    options.workspace = &memory;
    constexpr MapSize larger = {72, 104};
    std::vector<float> expected;
    std::vector<float> expected_larger;
    {
        TrainingSession training(narrow, options);
        expected = training.run();
        memory.calls = 0;
        training.session.reshape(larger, 2);
        expected_larger = training.run();
    }
    const std::size_t calls = memory.calls;  // of reshape: runs have none
    CHECK(calls > 0);
    for (std::size_t most = 0; most < calls; ++most) {
        TrainingSession training(narrow, options);
        const std::size_t before = memory.bytes;
        memory.calls = 0;
        memory.most_calls = most;
        CHECK_THROWS_WITH_AS(training.session.reshape(larger, 2), "no memory", std::logic_error);
        memory.most_calls = SIZE_MAX;
        CHECK(training.session.input_size() == MapSize(40, 56));
        CHECK(same_bits(training.run(), expected));
        training.session.reshape(larger, 2);
        CHECK(same_bits(training.run(), expected_larger));
        CHECK(memory.bytes > before);
    }
    CHECK(memory.bytes == 0);
}

TEST_CASE("a log is told when a session is planned again") {
    NarrowModel narrow;
    Lines lines;
    SessionOptions options = NarrowModel::options();
    options.threads = 1;
    options.log = lines.log();
    Session session(narrow.model, options);
    session.reshape({33, 70}, 2);
    REQUIRE(lines.of[1].size() >= 2);
    CHECK(lines.of[1].back().starts_with("planned again for 33x70, batch 2, "));
}

TEST_CASE("a log that throws leaves a session as it was when it is planned again") {
    NarrowModel narrow;
    constexpr std::size_t never = SIZE_MAX;
    constexpr MapSize larger = {72, 104};
    std::size_t lines = never;  // until the log throws
    SessionOptions options = NarrowModel::options();
    options.log = [&](LogLevel /*level*/, std::string_view /*message*/) {
        if (lines != never && lines-- == 0) throw std::out_of_range("the caller's own");
    };
    TrainingSession training(narrow, options);
    const std::vector<float> expected = training.run();
    const std::size_t batch = training.session.batch();
    for (const std::size_t before : {0U, 1U, 5U}) {
        lines = before;
        CHECK_THROWS_WITH_AS(training.session.reshape(larger, batch + 1), "the caller's own",
                             std::out_of_range);
        lines = never;
        CHECK(training.session.input_size() == MapSize(40, 56));
        CHECK(training.session.batch() == batch);
        CHECK(training.session.outputs().front().shape.front() == batch);
        CHECK(same_bits(training.run(), expected));
    }
    training.session.reshape(larger, batch + 1);
    CHECK(training.session.input_size() == larger);
    CHECK(training.session.outputs().front().shape.front() == batch + 1);
}

TEST_CASE("oneDNN, which has threads of its own, is refused together with a caller's") {
    NarrowModel narrow;
    SessionOptions options = NarrowModel::options();
    options.convolution = "onednn";
    options.parallel_for = on_new_threads;
    const std::string message = testing::error_of(ErrorKind::usage, [&] { Session(narrow.model, options); });
    CHECK(message.find("onednn") != std::string::npos);
    if (VGG19_HAS_ONEDNN) CHECK(message.find("parallel_for") != std::string::npos);
}

TEST_CASE("activations and scratch memory come from a caller's workspace, and go back to it") {
    NarrowModel narrow;
    const std::vector<float> expected = narrow.logits(NarrowModel::options());
    CallersMemory memory;
    SessionOptions options = NarrowModel::options();
    options.workspace = &memory;
    {
        Session session(narrow.model, options);
        CHECK(memory.bytes >= std::size_t{4} * 40 * 56 * sizeof(float));  // the first layer's output
        CHECK(memory.thread == std::this_thread::get_id());
        const std::size_t calls = memory.calls;
        CHECK(same_bits(narrow.logits(session), expected));
        CHECK(memory.calls == calls);
        Session moved = std::move(session);
        CHECK(same_bits(narrow.logits(moved), expected));
    }
    CHECK(memory.bytes == 0);

    const std::size_t calls = memory.calls;
    for (std::size_t most = 0; most < calls; ++most) {
        memory.calls = 0;
        memory.most_calls = most;
        CHECK_THROWS_WITH_AS(Session(narrow.model, options), "no memory", std::logic_error);
        CHECK(memory.bytes == 0);
    }
}

TEST_CASE("a workspace that is not aligned is an error") {
    struct Unaligned final : std::pmr::memory_resource {
        alignas(64) std::byte memory[1 << 20];
        void* do_allocate(std::size_t, std::size_t) override { return memory + 4; }
        void do_deallocate(void*, std::size_t, std::size_t) override {}
        bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
    };
    NarrowModel narrow;
    const auto unaligned = std::make_unique<Unaligned>();
    SessionOptions options = NarrowModel::options();
    options.workspace = unaligned.get();
    CHECK(testing::error_of(ErrorKind::failed, [&] {
              Session(narrow.model, options);
          }).starts_with("workspace: expected memory aligned to 64 bytes"));
}

TEST_CASE("a log is told what was planned and what runs each step") {
    NarrowModel narrow;
    Lines lines;
    SessionOptions options = NarrowModel::options();
    options.threads = 1;
    options.log = lines.log();
    const Session session(narrow.model, options);
    CHECK(lines.warnings().empty());
    REQUIRE(!lines.of[1].empty());
    CHECK(lines.of[1].back().starts_with("planned for 40x56, batch 1, on 1 threads with "));
    CHECK(lines.of[1].back().find(" ms") != std::string::npos);
    REQUIRE(lines.of[0].size() == session.plan().size());
    CHECK(lines.of[0].front() == session.plan().front().layer + ": " + session.plan().front().kernel);
}

TEST_CASE("a log is warned of what the caller may not expect") {
    NarrowModel narrow;
    Lines lines;
    SessionOptions options = NarrowModel::options();
    options.log = lines.log();
    SUBCASE("more threads than CPUs") {
        options.threads = kernels::available_cpus() + 1;
        const Session session(narrow.model, options);
        REQUIRE(lines.warnings().size() == 1);
        CHECK(lines.warnings().front().starts_with("threads: " + std::to_string(options.threads) + ", "));
        options.parallel_for = on_new_threads;  // the caller knows its threads
        const Session silent(narrow.model, options);
        CHECK(lines.warnings().size() == 1);
    }
    options.threads = 1;
    SUBCASE("an ISA that the environment forces") {
        const testing::EnvironmentVariable variable("VGG19_ISA", "portable");
        const Session session(narrow.model, options);
        const bool is_best = kernels::best_isa() == kernels::Isa::portable;
        REQUIRE(lines.warnings().size() == (is_best ? 0 : 1));
        if (!is_best) CHECK(lines.warnings().front().starts_with("isa: VGG19_ISA forces portable, "));
        options.isa = "portable";  // the caller's own wish
        const Session silent(narrow.model, options);
        CHECK(lines.warnings().size() == (is_best ? 0 : 1));
    }
    SUBCASE("constants measured with another ISA") {
        const kernels::Isa best = kernels::best_isa();
        if (best == kernels::Isa::portable) return;
        options.plan_file = narrow.folder / "tuned";
        write_tuned_machine(options.plan_file, {.cpu = kernels::cpu_description(),
                                                .threads = 1,
                                                .isa = kernels::Isa::portable,
                                                .machine = kernels::this_machine(kernels::Isa::portable)});
        const Session session(narrow.model, options);
        REQUIRE(lines.warnings().size() == 1);
        CHECK(lines.warnings().front().starts_with(options.plan_file + ": measured with portable; "));
    }
    SUBCASE("what it throws leaves the call as it is") {
        options.log = [](LogLevel, std::string_view) { throw std::domain_error("the log's own"); };
        CHECK_THROWS_WITH_AS(Session(narrow.model, options), "the log's own", std::domain_error);
    }
}

}  // namespace vgg19

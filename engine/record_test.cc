// Tests records of runs: backward() of one run after others.
#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "engine/testing/error_of.h"
#include "engine/testing/narrow_model.h"
#include "kernels/common/testing/isas.h"
#include "kernels/common/testing/random.h"
#include "vgg19/vgg19.hpp"

namespace vgg19 {

namespace {

using testing::Containing;
using testing::error_of;
using Record = std::vector<std::byte>;

struct Fixture {
    Fixture() { testing::write_narrow_model(folder / "model", random, 10); }

    std::vector<float> values(std::size_t count) {
        std::vector<float> result(count);
        random.fill(result, -1.0F, 1.0F);
        return result;
    }
    Model model() const { return Model::open(folder / "model"); }
    SessionOptions options(MapSize size, std::size_t batch = 1, const std::string& isa = "") const {
        SessionOptions options = {.threads = 2, .batch = batch, .isa = isa, .gradients = true};
        options.set_input_size(size);
        // Bits of ReLUs that kernels and steps record, choices of pools, probabilities.
        options.outputs = {"conv1_2", "relu2_1", "pool3", "relu5_4", "fc6", "probabilities"};
        return options;
    }

    kernels::testing::Random random;
    testing::TemporaryFolder folder;
};

void run(Session& session, const std::vector<float>& input) {
    std::vector<std::vector<float>> values;
    std::vector<std::span<float>> results;
    values.reserve(session.outputs().size());
    for (const Output& output : session.outputs()) results.emplace_back(values.emplace_back(output.size()));
    session.run(input, results);
}

/// Of fixed gradients of all outputs.
std::vector<float> backward(Session& session) {
    std::vector<std::vector<float>> values;
    std::vector<std::span<const float>> gradients;
    values.reserve(session.outputs().size());
    for (const Output& output : session.outputs()) {
        kernels::testing::Random random(static_cast<std::uint32_t>(values.size() + 1));
        random.fill(values.emplace_back(output.size()), -1.0F, 1.0F);
        gradients.emplace_back(values.back());
    }
    std::vector<float> gradient(session.batch() * 3 * session.input_size().pixels());
    session.backward(gradients, gradient);
    return gradient;
}

Record record_of(const Session& session) {
    Record record(session.record_bytes());
    session.copy_record(record);
    return record;
}

}  // namespace

TEST_CASE("backward is of the run whose record was set, on every ISA and after other shapes") {
    Fixture fixture;
    const std::pair<MapSize, std::size_t> shapes[] = {{MapSize(33, 47), 2}, {MapSize(64, 32), 1}};
    for (const std::string& isa : kernels::testing::isa_names_of_this_cpu()) {
        CAPTURE(isa);
        Session session(fixture.model(), fixture.options(shapes[0].first, shapes[0].second, isa));
        std::vector<Record> records;
        std::vector<std::vector<float>> expected;
        for (int round = 0; round < 2; ++round) {
            for (const auto& [size, batch] : shapes) {
                session.reshape(size, batch);
                run(session, fixture.values(batch * 3 * size.pixels()));
                records.push_back(record_of(session));
                expected.push_back(backward(session));
            }
        }
        CHECK(expected[0] != expected[2]);
        for (std::size_t i = records.size(); i-- > 0;) {
            CAPTURE(i);
            session.reshape(shapes[i % 2].first, shapes[i % 2].second);
            session.set_record(records[i]);
            CHECK(record_of(session) == records[i]);
            const std::vector<float> found = backward(session);
            CHECK(std::memcmp(found.data(), expected[i].data(), found.size() * sizeof(float)) == 0);
        }
    }
}

TEST_CASE("a record may be used by another session of the same model and options") {
    Fixture fixture;
    Session session(fixture.model(), fixture.options(40));
    Session other(fixture.model(), fixture.options(40));
    run(session, fixture.values(std::size_t{3} * 40 * 40));
    other.set_record(record_of(session));
    CHECK(backward(other) == backward(session));
}

TEST_CASE("records of other sessions and shapes are refused, and the session stays as it was") {
    Fixture fixture;
    const MapSize size(32, 48);
    Session session(fixture.model(), fixture.options(size));
    const auto refused = [&](ErrorKind kind, const Record& record) {
        return error_of(kind, [&] { session.set_record(record); });
    };
    run(session, fixture.values(3 * size.pixels()));
    const Record own = record_of(session);
    const std::vector<float> expected = backward(session);

    Session turned(fixture.model(), fixture.options(MapSize(48, 32)));
    run(turned, fixture.values(3 * size.pixels()));
    CHECK(record_of(turned).size() == own.size());
    CHECK(refused(ErrorKind::bad_input, record_of(turned)) ==
          Containing("expected one of this session's for batch 1 of 32x48, found one for batch 1 of 48x32"));
    Record damaged = own;
    damaged[0] = std::byte{0};
    CHECK(refused(ErrorKind::bad_input, damaged) == Containing("that copy_record wrote"));
    damaged = own;
    damaged[35] ^= std::byte{1};
    CHECK(refused(ErrorKind::bad_input, damaged) == Containing("other layers, outputs or ISA"));
    CHECK(refused(ErrorKind::usage, Record(own.size() - 1)) == Containing("record: expected "));
    CHECK(refused(ErrorKind::usage, {}) == Containing("record: expected "));
    CHECK(backward(session) == expected);
}

TEST_CASE("records say what they lack") {
    Fixture fixture;
    SessionOptions options = fixture.options(32);
    Session session(fixture.model(), options);
    Record record(session.record_bytes());
    CHECK(error_of(ErrorKind::usage, [&] { session.copy_record(record); }) == Containing("has run"));
    run(session, fixture.values(std::size_t{3} * 32 * 32));
    CHECK(error_of(ErrorKind::usage, [&] { session.copy_record(std::span(record).first(7)); }) ==
          Containing("record: expected"));

    options.gradients = false;
    Session without(fixture.model(), options);
    const auto lacking = [&](const auto& call) { return error_of(ErrorKind::usage, call); };
    CHECK(without.record_bytes() == 0);
    CHECK(lacking([&] { without.copy_record(record); }) == Containing("SessionOptions::gradients"));
    CHECK(lacking([&] { without.set_record(record); }) == Containing("SessionOptions::gradients"));
}

}  // namespace vgg19

// For tests of sessions' outputs: runs, and what their results must be.
#pragma once

#include <doctest/doctest.h>

#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/model/model_access.h"
#include "engine/testing/error_of.h"
#include "engine/testing/narrow_model.h"
#include "engine/testing/reference_network.h"
#include "kernels/common/testing/distance.h"
#include "kernels/common/testing/isas.h"
#include "kernels/common/testing/random.h"
#include "vgg19/vgg19.hpp"

namespace vgg19::testing {

using kernels::testing::relative_l2;
using Values = std::vector<std::vector<float>>;

struct OutputFixture {
    kernels::testing::Random random;
    testing::TemporaryFolder folder;

    Model write(const model::Network& network) {
        testing::write_random_model(folder / "model", network, random, model::DenseOrder::input_major);
        return Model::open(folder / "model");
    }
    std::vector<float> input(std::size_t batch, MapSize size) {
        std::vector<float> values(batch * 3 * size.pixels());
        random.fill(values, -2.0F, 2.0F);
        return values;
    }
};

/// The first names of all outputs, up to `last` if it is one of them.
inline std::vector<std::string> names_up_to(const model::Network& network, const std::string& last = "") {
    std::vector<std::string> names;
    for (const model::NetworkOutput& output : model::network_outputs(network)) {
        names.push_back(output.names.front());
        if (names.back() == last) break;
    }
    return names;
}

inline Values run(Session& session, const std::vector<float>& input) {
    Values values;
    std::vector<std::span<float>> results;
    for (const Output& output : session.outputs()) values.emplace_back(output.size());
    for (std::vector<float>& value : values) results.emplace_back(value);
    session.run(input, results);
    return values;
}

inline Values run(const Model& model, const SessionOptions& options, const std::vector<float>& input) {
    Session session(model, options);
    return run(session, input);
}

inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

inline SessionOptions options_of(const std::string& isa, std::size_t batch, MapSize size,
                                 std::vector<std::string> outputs) {
    SessionOptions options = {.threads = 2, .batch = batch, .isa = isa};
    options.set_input_size(size);
    options.outputs = std::move(outputs);
    return options;
}

/// As in engine/session_test.cc: the errors of many Winograd layers add up.
inline constexpr double tolerance = 4e-5;

inline void check_against_reference(const Model& model, SessionOptions options,
                                    const std::vector<float>& input, double most = tolerance) {
    const testing::ReferenceNetwork reference(model::file_of(model), options.batch, options.input_size(),
                                              input, options.pooling.value_or(Pooling::max));
    const Values found = run(model, options, input);
    for (std::size_t i = 0; i < found.size(); ++i) {
        CAPTURE(options.outputs[i]);
        CHECK(relative_l2(found[i], reference[options.outputs[i]]) <= most);
    }
}

/// Each output alone, in the reverse order, and twice, has the bits that it has among all.
inline void check_independence(const Model& model, SessionOptions options, const std::vector<float>& input) {
    const std::vector<std::string> names = options.outputs;
    const Values all = run(model, options, input);
    for (std::size_t i = 0; i < names.size(); ++i) {
        CAPTURE(names[i]);
        options.outputs = {names[i]};
        CHECK(same_bits(run(model, options, input).front(), all[i]));
        if (i == 0) continue;
        options.outputs = {names[i], names[i - 1], names[i]};
        const Values some = run(model, options, input);
        CHECK(same_bits(some[0], all[i]));
        CHECK(same_bits(some[1], all[i - 1]));
        CHECK(same_bits(some[2], all[i]));
    }
}

}  // namespace vgg19::testing

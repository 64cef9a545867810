#include "converter/factorize/factorize.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "converter/factorize/low_rank.h"
#include "converter/lineage.h"
#include "converter/quantize/weights.h"
#include "engine/model/number_text.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

/// A dense layer to factor, and its index in the network.
struct Target {
    model::DenseLayer layer;
    std::size_t index = 0;
    std::size_t rank = 0;  ///< 0: chosen by energy
};

Error usage(const std::string& message) {
    return {ErrorKind::usage, message};
}

/// Factors of a rank below this have fewer weights than the original layer.
std::size_t rank_limit(const model::DenseLayer& layer) {
    const std::size_t sum = layer.inputs + layer.outputs;
    return (layer.inputs * layer.outputs + sum - 1) / sum;
}

/// The layers that are not factored yet, with their indices.
std::vector<Target> whole_layers(const model::Network& network) {
    std::vector<Target> whole;
    std::size_t next = 0;
    for (std::size_t index = 0; index < network.ranks().size(); ++index) {
        if (network.ranks()[index] == 0) whole.push_back({network.dense_layers()[next], index, 0});
        next += network.ranks()[index] == 0 ? 1U : 2U;
    }
    return whole;
}

Error not_whole(const std::string& known, const std::string& found) {
    return usage("layers to factor: expected dense layers that are not factored yet (" + known +
                 "), found '" + found + "'");
}

std::vector<Target> chosen_layers(const model::Network& network, const std::vector<std::string>& names) {
    std::vector<Target> whole = whole_layers(network);
    if (names.empty()) {
        std::erase_if(whole,
                      [&](const Target& target) { return target.index + 1 == network.ranks().size(); });
        if (!whole.empty()) return whole;
        throw usage(
            "layers to factor: expected one before the last that is not factored yet, found none; name the "
            "last, " +
            network.dense_layers().back().name + ", to factor it");
    }
    std::string known;
    for (const Target& target : whole) known.append(known.empty() ? "" : " ").append(target.layer.name);
    std::vector<Target> chosen;
    std::set<std::string_view> seen;
    for (const std::string& name : names) {
        const auto found = std::find_if(whole.begin(), whole.end(),
                                        [&](const Target& target) { return target.layer.name == name; });
        if (found == whole.end()) {
            throw not_whole(known, name);
        }
        if (!seen.insert(name).second) {
            throw usage("layers to factor: expected each layer once, found '" + name + "' again");
        }
        chosen.push_back(*found);
    }
    return chosen;
}

void check_rank(const Target& target) {
    if (target.rank > 0 && target.rank < rank_limit(target.layer)) return;
    throw usage(target.layer.name + ": expected a rank from 1 to " +
                std::to_string(rank_limit(target.layer) - 1) + ", which saves parameters, found " +
                std::to_string(target.rank));
}

std::vector<Target> targets(const model::Network& network, const FactorizeOptions& options) {
    const bool by_rank = !options.ranks.empty();
    if (by_rank == (options.energy != 0)) throw usage("expected either ranks or an energy");
    if (!by_rank && !(options.energy > 0 && options.energy < 1)) {
        throw usage("energy: expected a share above 0 and below 1, found " + std::to_string(options.energy));
    }
    std::vector<Target> chosen = chosen_layers(network, options.layers);
    if (!by_rank) return chosen;
    if (options.ranks.size() != 1 && options.ranks.size() != chosen.size()) {
        throw usage("ranks: expected one for all layers, or " + std::to_string(chosen.size()) +
                    ", one each, found " + std::to_string(options.ranks.size()));
    }
    for (std::size_t i = 0; i < chosen.size(); ++i) {
        chosen[i].rank = options.ranks[options.ranks.size() == 1 ? 0 : i];
        check_rank(chosen[i]);
    }
    return chosen;
}

/// The new layers' tensors, and the memory that they refer to.
class FactoredTensors {
  public:
    void add(const model::ModelFile& model, const model::Network& factored, const Target& target,
             LowRank factors) {
        const auto first = std::find_if(
            factored.dense_layers().begin(), factored.dense_layers().end(),
            [&](const model::DenseLayer& layer) { return layer.name == target.layer.name + ".0"; });
        const model::DenseLayer& second = *std::next(first);
        const model::DenseOrder order = model.order(target.layer);
        add_tensor(model::dense_weight(*first, order), std::move(factors.first));
        add_tensor({model::bias_name(first->name), {first->outputs}}, std::vector<float>(first->outputs));
        add_tensor(model::dense_weight(second, order), std::move(factors.second));
        model::Tensor bias = model.tensor(model::bias_name(target.layer.name));
        bias.name = model::bias_name(second.name);
        tensors_.push_back(std::move(bias));
    }
    void add_unchanged(const model::Tensor& tensor) { tensors_.push_back(tensor); }
    std::span<const model::Tensor> tensors() const { return tensors_; }

  private:
    void add_tensor(model::TensorShape shape, std::vector<float> values) {
        values_.push_back(std::move(values));  // moving a vector keeps its elements in place
        tensors_.push_back({std::move(shape.name), model::DType::f32, std::move(shape.shape),
                            std::as_bytes(std::span(values_.back()))});
    }

    std::vector<std::vector<float>> values_;
    std::vector<model::Tensor> tensors_;
};

std::optional<LowRank> factor(const model::ModelFile& model, const Target& target, double energy) {
    const model::Tensor& weight = model.weight(target.layer);
    const std::span<const float> values = weight.as<float>();
    if (!std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); })) {
        throw Error(ErrorKind::bad_input,
                    model.path().string() + ": tensor " + weight.name + ": expected finite weights");
    }
    auto factors =
        truncated_svd({.values = values.data(),
                       .outputs = target.layer.outputs,
                       .inputs = target.layer.inputs,
                       .input_major = model.order(target.layer) == model::DenseOrder::input_major},
                      {.rank = target.rank, .energy = energy, .most_rank = rank_limit(target.layer) - 1});
    model.file().mapping().release(weight.bytes);
    return factors;
}

FactorizedLayer summary(const Target& target, const std::optional<LowRank>& factors) {
    const std::uint64_t inputs = target.layer.inputs;
    const std::uint64_t outputs = target.layer.outputs;
    const std::uint64_t whole = outputs * (inputs + 1);
    if (!factors) return {target.layer.name, 0, 0, whole, whole};
    const std::uint64_t rank = factors->rank;
    return {target.layer.name, factors->rank, factors->relative_error, whole,
            rank * (inputs + 1) + outputs * (rank + 1)};
}

std::string lineage_step(const FactorizeOptions& options, const std::vector<Target>& chosen) {
    std::string step = surgery_name(Surgery::factorize);
    if (options.ranks.empty()) step += " --energy " + shortest_text(options.energy);
    for (std::size_t i = 0; i < options.ranks.size(); ++i) {
        step += (i == 0 ? " --rank " : ",") + std::to_string(options.ranks[i]);
    }
    for (std::size_t i = 0; i < chosen.size(); ++i) {
        step += (i == 0 ? " --layers " : ",") + chosen[i].layer.name;
    }
    return step;
}

}  // namespace

void check_factorize_options(const model::Network& network, const FactorizeOptions& options) {
    targets(network, options);
}

std::vector<FactorizedLayer> factorize_model(const model::ModelFile& model, const FactorizeOptions& options,
                                             const std::filesystem::path& output,
                                             const model::Progress& layers_done) {
    model::require_other_file(model.path(), output);
    require_fp32(model);
    const std::vector<Target> chosen = targets(model.network(), options);

    std::vector<std::size_t> ranks = model.network().ranks();
    std::vector<std::optional<LowRank>> factors;
    std::vector<FactorizedLayer> result;
    std::set<std::string_view> replaced;
    for (const Target& target : chosen) {
        factors.push_back(factor(model, target, options.energy));
        result.push_back(summary(target, factors.back()));
        ranks[target.index] = result.back().rank;
        if (factors.back()) {
            replaced.insert(model.weight(target.layer).name);
            replaced.insert(model.tensor(model::bias_name(target.layer.name)).name);
        }
        if (layers_done) layers_done(factors.size(), chosen.size());
    }
    if (replaced.empty()) {
        throw usage("energy " + shortest_text(options.energy) +
                    ": expected a share that saves parameters in one layer at least, found none that does");
    }

    model::Description description = model.description();
    description.network = model.network().with_ranks(ranks);
    description.variant = description.variant == "baseline" ? "factored" : description.variant + "-factored";
    description.lineage.push_back(lineage_step(options, chosen));
    FactoredTensors tensors;
    for (const model::Tensor& tensor : model.tensors()) {
        if (!replaced.contains(tensor.name)) tensors.add_unchanged(tensor);
    }
    for (std::size_t i = 0; i < chosen.size(); ++i) {
        if (factors[i]) tensors.add(model, description.network, chosen[i], std::move(*factors[i]));
    }
    model::write_model(output, description, tensors.tensors(), {}, model.file().mapping());
    return result;
}

}  // namespace vgg19::converter

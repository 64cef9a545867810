#include "converter/import/names.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "converter/import/byte_reader.h"
#include "converter/import/candidates.h"
#include "converter/import/dense_chain.h"
#include "vgg19/error.h"

namespace vgg19::converter {
namespace {

using Shape = std::vector<std::size_t>;

/// Collects everything that is wrong with a file, to report it at once.
using Problems = std::vector<std::string>;

std::string place_text(std::string_view prefix) {
    return prefix.empty() ? "the root" : printable(prefix);
}

/// A layer's number of outputs: from its weight, else from its bias, else torchvision's.
std::size_t width(const Module* module, std::size_t otherwise) {
    for (const char* name : {"weight", "bias"}) {
        const Parameter* const parameter = module == nullptr ? nullptr : module->find(name);
        if (parameter == nullptr || parameter->shape().empty()) continue;
        if (parameter->values().elements() == 0) continue;
        return parameter->shape()[0];
    }
    return otherwise;
}

/// Whether a path leads through the hooks of a pickled module, such as those of torch.nn.utils.prune.
bool is_of_hook(std::string_view path) {
    const auto keys = split_path(path);
    return std::any_of(keys.begin(), keys.end(),
                       [](std::string_view key) { return key.starts_with('_') && key.ends_with("_hooks"); });
}

/// Reads one candidate and collects its problems.
class VggReader {
  public:
    VggReader(const Candidate& candidate, const std::vector<Candidate>& others,
              const std::vector<Module>& modules, bool features_only)
        : candidate_(candidate),
          others_(others),
          layout_(candidate.layout),
          modules_(modules),
          features_only_(features_only) {}

    /// Throws Error (bad_input) for widths outside the limits.
    VggTensors read();
    const Problems& problems() const { return problems_; }

  private:
    model::Network read_network();
    void read_convolution(std::size_t k, VggTensors& vgg);
    BatchNormTensors read_norm(const Module* module, const std::string& path, std::size_t channels,
                               bool has_weights, VggTensors& vgg);
    bool norms_have_weights() const;
    void read_dense(std::size_t i, VggTensors& vgg);
    /// A parameter of this shape, or of the equivalent convolution; null, with a problem, if there is none.
    const Parameter* take(const Module* module, const std::string& path, const char* name, const Shape& shape,
                          std::size_t side = 0);
    /// The same for an optional parameter.
    const Parameter* take_if_there(const Module* module, const std::string& path, const char* name,
                                   const Shape& shape);
    /// Whether all modules lack the parameter.
    template <class ModuleOf>
    bool none_has(std::size_t count, const char* name, const ModuleOf& module_of) const;
    /// The batch norm after a dense layer in the same torch.nn.Sequential; null if there is none.
    const Module* norm_behind(const Module* dense) const;
    const Module* convolution(std::size_t k) const {
        return candidate_.container.find(layout_.convolution(k));
    }
    const Module* norm(std::size_t k) const { return candidate_.container.find(layout_.norm(k)); }
    std::size_t convolutions() const { return layout_.network.convolutions().size(); }
    void note_assumptions(VggTensors& vgg) const;
    void sort_others(VggTensors& vgg);
    bool is_surplus(const Module& module, const std::string& parameter) const;

    const Candidate& candidate_;
    const std::vector<Candidate>& others_;
    const Layout& layout_;
    const std::vector<Module>& modules_;
    bool features_only_;
    DenseChain dense_;
    std::set<const Parameter*> taken_;
    Problems problems_;
};

model::Network VggReader::read_network() {
    std::vector<std::size_t> features;
    const auto& usual = layout_.network.convolutions();
    for (std::size_t k = 0; k < usual.size(); ++k) {
        features.push_back(width(convolution(k), usual[k].output_channels));
        if (usual[k].pool_follows) features.push_back(0);
    }
    const std::size_t channels = features.back() > 0 ? features.back() : features[features.size() - 2];
    dense_ = dense_chain(candidate_.dense, candidate_.prefix, channels);
    std::vector<std::size_t> classifier;
    std::vector<std::size_t> ranks;
    for (std::size_t i = 0; i < dense_.layers.size(); ++i) {
        ranks.push_back(0);
        if (dense_.is_first_factor[i]) ranks.back() = width(dense_.layers[i++], 1);
        classifier.push_back(width(dense_.layers[i], 1));
    }
    return model::Network(features, classifier, dense_.pooled_side).with_ranks(ranks);
}

const Parameter* VggReader::take(const Module* module, const std::string& path, const char* name,
                                 const Shape& shape, std::size_t side) {
    const Parameter* const found = module == nullptr ? nullptr : module->find(name);
    if (found == nullptr) {
        problems_.push_back(printable(join_path(path, name)) + ": missing; expected " + shape_text(shape));
        return nullptr;
    }
    taken_.insert(found);
    const std::string problem = found->problem();
    if (!problem.empty()) problems_.push_back(problem);
    // A dense weight may be stored as a convolution over the whole map.
    const bool is_convolution =
        side > 0 && found->shape() == Shape{shape[0], shape[1] / (side * side), side, side};
    if (found->shape() != shape && !is_convolution) {
        problems_.push_back(printable(found->values().name) + ": expected " + shape_text(shape) + ", found " +
                            shape_text(found->shape()));
    }
    return found;
}

template <class ModuleOf>
bool VggReader::none_has(std::size_t count, const char* name, const ModuleOf& module_of) const {
    for (std::size_t i = 0; i < count; ++i) {
        const Module* const module = module_of(i);
        if (module != nullptr && module->find(name) != nullptr) return false;
    }
    return true;
}

BatchNormTensors VggReader::read_norm(const Module* module, const std::string& path, std::size_t channels,
                                      bool has_weights, VggTensors& vgg) {
    const Shape shape = {channels};
    vgg.norm_paths.push_back(path);
    BatchNormTensors result;
    if (has_weights) {
        result.weight = take(module, path, "weight", shape);
        result.bias = take(module, path, "bias", shape);
    }
    result.mean = take(module, path, "running_mean", shape);
    result.variance = take(module, path, "running_var", shape);
    return result;
}

bool VggReader::norms_have_weights() const {
    const auto norm_of = [this](std::size_t k) { return norm(k); };
    return !none_has(convolutions(), "weight", norm_of) || !none_has(convolutions(), "bias", norm_of);
}

void VggReader::read_convolution(std::size_t k, VggTensors& vgg) {
    const model::ConvolutionLayer& layer = vgg.network.convolutions()[k];
    const std::string path = candidate_.container.path_of(layout_.convolution(k));
    const Module* const module = convolution(k);
    vgg.convolution_paths.push_back(path);
    LayerTensors tensors;
    tensors.weight = take(module, path, "weight", {layer.output_channels, layer.input_channels, 3, 3});
    if (!none_has(convolutions(), "bias", [this](std::size_t i) { return convolution(i); })) {
        tensors.bias = take(module, path, "bias", {layer.output_channels});
    }
    if (layout_.batch_norm) {
        tensors.batch_norm = read_norm(norm(k), candidate_.container.path_of(layout_.norm(k)),
                                       layer.output_channels, norms_have_weights(), vgg);
    }
    vgg.layers.push_back(tensors);
}

const Module* VggReader::norm_behind(const Module* dense) const {
    if (dense == nullptr) return nullptr;
    const std::string_view parent = parent_path(dense->path);
    const std::string_view last =
        std::string_view(dense->path).substr(parent.empty() ? 0 : parent.size() + 1);
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(last.data(), last.data() + last.size(), index);
    if (error != std::errc() || end != last.data() + last.size()) return nullptr;
    const std::string path = join_path(parent, std::to_string(index + 1));
    const auto found = std::find_if(modules_.begin(), modules_.end(), [&](const Module& module) {
        return module.path == path && module.find("running_var") != nullptr;
    });
    return found == modules_.end() ? nullptr : &*found;
}

void VggReader::read_dense(std::size_t i, VggTensors& vgg) {
    const model::DenseLayer& layer = vgg.network.dense_layers()[i];
    const Module* const module = dense_.layers.empty() ? nullptr : dense_.layers[i];
    const std::string path = module == nullptr ? join_path(candidate_.prefix, layer.name) : module->path;
    const auto dense = [this](std::size_t index) { return dense_.layers[index]; };
    // All layers may lack biases, or only the last one, and the first of two factors.
    const std::size_t biased =
        dense_.layers.empty() || none_has(dense_.layers.size(), "bias", dense) ? 0 : dense_.layers.size() - 1;
    const bool may_lack_bias = i >= biased || dense_.is_first_factor[i];
    LayerTensors tensors;
    tensors.weight =
        take(module, path, "weight", {layer.outputs, layer.inputs}, i == 0 ? vgg.network.pooled_side() : 1);
    const bool has_bias = module == nullptr || module->find("bias") != nullptr;
    const Module* const norm = norm_behind(module);
    if (has_bias || (!may_lack_bias && norm == nullptr)) {
        tensors.bias = take(module, path, "bias", {layer.outputs});
    }
    if (norm != nullptr) {
        const bool has_weights = norm->find("weight") != nullptr || norm->find("bias") != nullptr;
        tensors.batch_norm = read_norm(norm, norm->path, layer.outputs, has_weights, vgg);
        vgg.batch_norm = true;
    }
    vgg.dense_paths.push_back(path);
    vgg.layers.push_back(tensors);
}

void VggReader::note_assumptions(VggTensors& vgg) const {
    if (layout_.is_prefix) {
        vgg.notes.push_back("a " + vgg.title + ", the last of them " +
                            printable(vgg.convolution_paths.back()) +
                            ": a model of features alone, which has no classes");
    } else if (!vgg.network.has_classifier()) {
        vgg.notes.emplace_back("no dense layers: a model of features alone, which has no classes");
    }
    const auto& layers = vgg.layers;
    std::size_t masked = 0;
    std::size_t normed = 0;
    for (const Parameter* const parameter : taken_) {
        masked += parameter->composition() == Composition::masked ? 1U : 0U;
        normed += parameter->composition() == Composition::weight_norm ? 1U : 0U;
    }
    if (layout_.naming == Naming::in_order) {
        vgg.notes.push_back("convolutions in the order of the numbers in their names, " +
                            printable(vgg.convolution_paths.front()) + " to " +
                            printable(vgg.convolution_paths.back()) + ", with pools where a VGG-" +
                            std::to_string(layout_.depth) + " has them");
    }
    if (masked > 0) vgg.applied.push_back("masks applied to " + std::to_string(masked) + " tensors");
    if (normed > 0) {
        vgg.applied.push_back("weight normalisation applied to " + std::to_string(normed) + " tensors");
    }
    vgg.notes.insert(vgg.notes.end(), vgg.applied.begin(), vgg.applied.end());
    if (layers.front().bias == nullptr) vgg.notes.emplace_back("convolutions without bias: 0 is used");
    for (std::size_t i = 0; i < vgg.dense_paths.size(); ++i) {
        if (layers[convolutions() + i].bias != nullptr) continue;
        vgg.notes.push_back(printable(vgg.dense_paths[i]) + " without bias: 0 is used");
    }
    const auto& norm = layers.front().batch_norm;
    if (norm && norm->weight == nullptr) {
        vgg.notes.emplace_back("batch norms without weight and bias: 1 and 0 are used");
    }
}

/// Unused weights next to a VGG's may belong to it, which would make it a different network.
bool VggReader::is_surplus(const Module& module, const std::string& parameter) const {
    if (!is_within(module.path, candidate_.prefix) || is_of_hook(module.path)) return false;
    const bool is_features = candidate_.container.naming == Naming::sequential &&
                             !candidate_.container.path.empty() &&
                             is_within(module.path, candidate_.container.path);
    const bool is_dense = std::any_of(dense_.layers.begin(), dense_.layers.end(), [&](const Module* layer) {
        return !layer->path.empty() && is_within(module.path, layer->path);
    });
    if (is_features || is_dense) return true;
    if (features_only_) return false;
    const bool is_of_another = std::any_of(others_.begin(), others_.end(), [&](const Candidate& other) {
        const bool is_deeper =
            other.prefix.size() > candidate_.prefix.size() && is_within(other.prefix, candidate_.prefix);
        const std::string& all = is_deeper ? other.prefix : other.container.path;
        return !all.empty() && all.size() > candidate_.prefix.size() && is_within(module.path, all);
    });
    if (is_of_another) return false;
    return parameter == "weight" || parameter == "bias" || parameter.starts_with("running_");
}

void VggReader::sort_others(VggTensors& vgg) {
    const std::vector<std::string_view> own = split_path(vgg.prefix);
    std::map<std::string, std::size_t> places;
    for (const Module& module : modules_) {
        for (const auto& [name, parameter] : module.parameters) {
            const bool is_counter = name == "num_batches_tracked" && is_within(module.path, vgg.prefix);
            if (taken_.contains(&parameter) || is_counter) {
                vgg.tensors += parameter.parts.size();
                continue;
            }
            if (is_surplus(module, name)) {
                problems_.push_back(printable(parameter.values().name) + ": not in a " + layout_.title() +
                                    "; found " + shape_text(parameter.shape()));
                continue;
            }
            const std::string path = join_path(module.path, name);
            std::string place;
            std::size_t same = 0;
            for (const std::string_view key : split_path(path)) {
                place = join_path(place, key);
                if (same >= own.size() || own[same] != key) break;
                ++same;
            }
            const auto [entry, is_new] = places.emplace(place, vgg.left.size());
            if (is_new) vgg.left.emplace_back(printable(place), 0);
            vgg.left[entry->second].second += parameter.parts.size();
        }
    }
}

VggTensors VggReader::read() {
    VggTensors vgg{.network = read_network(),
                   .title = layout_.title(),
                   .prefix = candidate_.prefix,
                   .batch_norm = layout_.batch_norm};
    for (std::size_t k = 0; k < convolutions(); ++k) read_convolution(k, vgg);
    for (std::size_t i = 0; i < vgg.network.dense_layers().size(); ++i) read_dense(i, vgg);
    for (const Module* const module : candidate_.container.repeated) {
        problems_.push_back(printable(module->path) + ": expected once, found again");
    }
    problems_.insert(problems_.end(), dense_.problems.begin(), dense_.problems.end());
    sort_others(vgg);
    note_assumptions(vgg);
    return vgg;
}

std::string others_text(const std::vector<Candidate>& candidates) {
    std::string text;
    for (const Candidate& candidate : candidates) {
        text += (text.empty() ? "" : ", ") + place_text(candidate.prefix) + " (" + candidate.layout.title() +
                ", " + std::to_string(candidate.parameters) + " parameters)";
    }
    return text;
}

[[noreturn]] void fail_without_vgg(const std::vector<Module>& modules, const std::string& file) {
    std::size_t tensors = 0;
    std::string first;
    for (const Module& module : modules) {
        for (const auto& [name, parameter] : module.parameters) {
            if (first.empty()) first = parameter.parts.begin()->second->name;
            tensors += parameter.parts.size();
        }
    }
    throw Error(ErrorKind::bad_input,
                file + ": expected a VGG's tensors, such as features.0.weight; found " +
                    std::to_string(tensors) + " others" +
                    (tensors == 0 || first.empty() ? "" : ", such as " + printable(first)));
}

/// Keeps the candidate at the key or, if there is none, those below it.
void keep_key(std::vector<Candidate>& candidates, std::string_view key, const std::string& file) {
    const std::string known = others_text(candidates);
    const std::string_view path = key == "." ? std::string_view() : key;
    const bool exact = std::any_of(candidates.begin(), candidates.end(),
                                   [&](const Candidate& candidate) { return candidate.prefix == path; });
    std::erase_if(candidates, [&](const Candidate& candidate) {
        return exact ? candidate.prefix != path : !is_within(candidate.container.path, path);
    });
    if (!candidates.empty()) return;
    throw Error(ErrorKind::bad_input, file + ": --key " + printable(key) +
                                          ": expected the path of a VGG in the file, found none there; there "
                                          "are: " +
                                          known);
}

}  // namespace

VggTensors recognise_vgg(const std::vector<Module>& modules, const std::string& file, std::string_view key,
                         bool features_only) {
    std::vector<Candidate> candidates = find_candidates(modules, features_only, !key.empty());
    if (candidates.empty()) fail_without_vgg(modules, file);
    std::vector<Candidate> others = candidates;
    if (!key.empty()) keep_key(candidates, key, file);
    const Candidate chosen = candidates.front();
    std::erase_if(others, [&](const Candidate& other) {
        return other.container.path == chosen.container.path &&
               other.container.naming == chosen.container.naming;
    });
    std::erase_if(candidates, [&](const Candidate& candidate) {
        return candidate.dense.empty() || candidate.container.path == chosen.container.path;
    });

    VggReader reader(chosen, others, modules, features_only);
    VggTensors vgg = [&] {
        try {
            return reader.read();
        } catch (const Error& error) {
            throw Error(ErrorKind::bad_input, file + ": " + error.what());
        }
    }();
    if (!candidates.empty()) {
        vgg.notes.push_back("more than one VGG in the file: took " + place_text(chosen.prefix) +
                            "; --key PATH selects another: " + others_text(candidates));
    }
    const Problems& problems = reader.problems();
    if (problems.empty()) return vgg;
    std::string message = file + ": expected the tensors of a " + vgg.title + ", found " +
                          std::to_string(problems.size()) +
                          (problems.size() == 1 ? " problem:" : " problems:");
    message += model::listed(problems);
    if (!candidates.empty()) message += "\nanother VGG, which --key PATH selects: " + others_text(candidates);
    throw Error(ErrorKind::bad_input, message);
}

}  // namespace vgg19::converter

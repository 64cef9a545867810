#include "converter/import/import.h"

#include <algorithm>
#include <cstdint>
#include <future>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "converter/class_names.h"
#include "converter/import/batch_norm.h"
#include "converter/import/byte_reader.h"
#include "converter/import/exported.h"
#include "converter/import/module_types.h"
#include "converter/import/names.h"
#include "converter/import/reorder.h"
#include "converter/import/settings.h"
#include "converter/import/state_dict.h"
#include "converter/lineage.h"
#include "converter/transpose.h"
#include "engine/model/number_text.h"
#include "engine/model/sha256.h"
#include "kernels/common/aligned_buffer.h"
#include "vgg19/error.h"

namespace vgg19::converter {
namespace {

/// Uses a separate mapping and releases its pages along the way, so that the file is not in memory twice.
std::string file_sha256(const std::filesystem::path& path) {
    constexpr std::size_t piece_bytes = std::size_t{4} << 20U;
    const model::MappedFile file(path);
    model::Sha256 hash;
    std::span<const std::byte> rest = file.bytes();
    while (!rest.empty()) {
        const std::span<const std::byte> piece = rest.first(std::min(piece_bytes, rest.size()));
        hash.update(piece);
        file.release(piece);
        rest = rest.subspan(piece.size());
    }
    return hash.hex_digest();
}

/// The model's tensors: views into the source file where possible.
class Weights {
  public:
    explicit Weights(const StateDict& source) : source_(source), mapping_(source.mapping()) {}

    void add_convolution(const model::ConvolutionLayer& layer, const LayerTensors& source, double epsilon);
    void add_dense(const model::DenseLayer& layer, const LayerTensors& source, model::DenseOrder order,
                   double epsilon);
    std::span<const model::Tensor> tensors() const { return tensors_; }

  private:
    /// Zeros if there is no source.
    void add(std::string name, std::vector<std::size_t> shape, const Parameter* source);
    /// A tensor that this object owns.
    std::span<float> add_new(std::string name, std::vector<std::size_t> shape);

    const StateDict& source_;
    const model::MappedFile& mapping_;
    std::vector<model::Tensor> tensors_;
    std::vector<kernels::AlignedBuffer> owned_;  // in large pages, which make transposing fast
};

void Weights::add_convolution(const model::ConvolutionLayer& layer, const LayerTensors& source,
                              double epsilon) {
    const std::string weight_name = model::weight_name(layer.name);
    const std::string bias_name = model::bias_name(layer.name);
    const std::vector<std::size_t> weight_shape = {layer.output_channels, layer.input_channels, 3, 3};
    const std::vector<std::size_t> bias_shape = {layer.output_channels};
    if (!source.batch_norm) {
        add(weight_name, weight_shape, source.weight);
        add(bias_name, bias_shape, source.bias);
        return;
    }
    const std::span<float> weight = add_new(weight_name, weight_shape);
    const std::span<float> bias = add_new(bias_name, bias_shape);
    fold_batch_norm(source, epsilon, mapping_, weight, bias);
}

void Weights::add_dense(const model::DenseLayer& layer, const LayerTensors& source, model::DenseOrder order,
                        double epsilon) {
    const model::TensorShape weight = model::dense_weight(layer, order);
    if (source.batch_norm) {
        kernels::AlignedBuffer folded(layer.outputs * layer.inputs * sizeof(float));
        const std::span<float> values(folded.as<float>(), layer.outputs * layer.inputs);
        fold_batch_norm(source, epsilon, mapping_, values,
                        add_new(model::bias_name(layer.name), {layer.outputs}));
        const std::span<float> result = add_new(weight.name, weight.shape);
        if (order == model::DenseOrder::output_major) {
            std::copy(values.begin(), values.end(), result.begin());
        } else {
            transpose<float>({values.data(), layer.inputs}, layer.outputs, layer.inputs,
                             {result.data(), layer.outputs});
        }
        return;
    }
    if (order == model::DenseOrder::output_major) {
        add(weight.name, weight.shape, source.weight);
    } else {
        const ReadParameter read = read_parameter(*source.weight, mapping_);
        read_transposed(read.tensor, mapping_, add_new(weight.name, weight.shape));
    }
    add(model::bias_name(layer.name), {layer.outputs}, source.bias);
}

void Weights::add(std::string name, std::vector<std::size_t> shape, const Parameter* source) {
    if (source == nullptr) {
        add_new(std::move(name), std::move(shape));
        return;
    }
    ReadParameter read = read_parameter(*source, mapping_);
    const StoredTensor& tensor = read.tensor;
    const bool aligned = reinterpret_cast<std::uintptr_t>(tensor.bytes.data()) % alignof(float) == 0;
    const bool may_stay = aligned && !source_.is_of_another_file(tensor);  // write_model() watches one file
    if (tensor.dtype == model::DType::f32 && tensor.contiguous() && may_stay) {
        const std::span<const std::byte> bytes = tensor.bytes.first(tensor.elements() * sizeof(float));
        tensors_.push_back({std::move(name), model::DType::f32, std::move(shape), bytes});
        if (read.memory.size() > 0) owned_.push_back(std::move(read.memory));
    } else {
        read_values(tensor, mapping_, add_new(std::move(name), std::move(shape)));
    }
}

std::span<float> Weights::add_new(std::string name, std::vector<std::size_t> shape) {
    model::Tensor& tensor = tensors_.emplace_back(model::Tensor{
        .name = std::move(name), .dtype = model::DType::f32, .shape = std::move(shape), .bytes = {}});
    const std::size_t elements = tensor.elements();
    owned_.emplace_back(elements * sizeof(float));
    const std::span<float> values(owned_.back().as<float>(), elements);
    tensor.bytes = std::as_bytes(values);
    return values;
}

void add_layers(const VggTensors& vgg, model::DenseOrder order, double epsilon, Weights& weights) {
    auto source = vgg.layers.begin();
    for (const model::ConvolutionLayer& layer : vgg.network.convolutions()) {
        weights.add_convolution(layer, *source++, epsilon);
    }
    for (const model::DenseLayer& layer : vgg.network.dense_layers()) {
        weights.add_dense(layer, *source++, order, epsilon);
    }
}

/// The names of --classes.
std::vector<std::string> given_names(const ImportOptions& options, const model::Network& network) {
    if (network.has_classifier()) return read_class_names(options.classes, network.classes());
    throw Error(ErrorKind::usage, options.classes.string() +
                                      ": expected no class names for a model of features alone, found some");
}

/// Whether only how the file is stored changes.
bool only_packs(const model::ModelFile& model, const ImportOptions& options) {
    const bool changes = options.features_only || options.dense_order || !options.classes.empty() ||
                         !settings_text(options).empty();
    return !changes && (options.pack || model.file().mapping().is_unpacked());
}

ImportReport change_our_model(const std::filesystem::path& input, const model::Destination& output,
                              const ImportOptions& options, const model::Progress& progress) {
    if (!options.key.empty() || options.batch_norm_epsilon != 0) {
        throw Error(ErrorKind::usage, input.string() +
                                          ": expected no --key and no --batch-norm-epsilon for a "
                                          "model that vgg19 wrote, found one");
    }
    const model::ModelFile model = model::ModelFile::open(input);
    ImportReport report;
    report.is_model = true;
    if (only_packs(model, options)) {
        const model::MappedFile& file = model.file().mapping();
        model::reading(file, [&] {
            model::write_bytes(output, file.bytes(), progress, [&file] { file.require_unchanged(); });
        });
        return report;
    }
    model::Description description = model.description();
    if (options.features_only) {
        description.network = model::Network(model.network().features(), {});
        description.class_names.clear();
    }
    if (!options.classes.empty()) {
        description.class_names = given_names(options, description.network);
    }
    apply_settings(options, description);
    const std::string settings = settings_text(options);
    std::optional<model::DenseOrder> order = options.dense_order;
    if (!order && settings.empty()) order = model::DenseOrder::input_major;
    const std::string order_text = order ? std::string(" ") + dense_order_option(*order) : "";
    description.lineage.push_back(surgery_name(Surgery::convert) + order_text + settings);
    change_model(model.with(description, {}), output, order, description, progress);
    return report;
}

/// The checkpoint's class names, if it has exactly one list of the right length.
std::vector<std::string> names_in(const CheckpointFacts& facts, std::size_t classes,
                                  std::vector<std::string>& notes) {
    if (classes == 0) return {};
    const CheckpointFacts::ClassNames* found = nullptr;
    for (const CheckpointFacts::ClassNames& names : facts.class_names) {
        const std::set<std::string_view> distinct(names.names.begin(), names.names.end());
        if (names.names.size() != classes || distinct.size() != classes || distinct.contains("")) continue;
        if (found != nullptr && found->names != names.names) {
            notes.push_back("names of " + std::to_string(classes) + " classes under " +
                            printable(found->path) + " and others under " + printable(names.path) +
                            ": none of the lists is used; give the names with --classes FILE");
            return {};
        }
        if (found == nullptr) found = &names;
    }
    if (found == nullptr) return {};
    notes.push_back("names of the classes taken from " + printable(found->path));
    return found->names;
}

std::string dense_text(const VggTensors& vgg) {
    if (!vgg.network.has_classifier()) return "none";
    std::string names;
    for (const std::string& path : vgg.dense_paths) names += (names.empty() ? "" : ", ") + printable(path);
    std::string widths = std::to_string(vgg.network.dense_layers().front().inputs);
    for (const auto& layer : vgg.network.dense_layers()) widths += " → " + std::to_string(layer.outputs);
    return names + ": " + widths;
}

/// A checkpoint's quantised tensors are not among its tensors, so that such a VGG is incomplete.
[[noreturn]] void fail_as_quantized(const CheckpointFacts& facts, const std::string& file) {
    throw Error(ErrorKind::bad_input,
                file + ": expected weights in floating point, found " +
                    std::to_string(facts.quantized.size()) + " tensors that PyTorch has quantised, such as " +
                    printable(facts.quantized.front()) +
                    "; convert the file of the model before it was quantised, then use `vgg19 quantize`");
}

/// A line for each entry of unread_tensors.
std::string unread_text(const CheckpointFacts& facts) {
    std::string text;
    for (const std::string& tensors : facts.unread_tensors) {
        text += "\nnot read: " + tensors + "; save dense float32 tensors to have them read";
    }
    return text;
}

/// Without dense layers, the tensors that were not read may be those of the dense layers.
void require_no_unread_classifier(const VggTensors& vgg, const CheckpointFacts& facts,
                                  const std::string& file) {
    if (vgg.network.has_classifier() || (facts.quantized.empty() && facts.unread_tensors.empty())) return;
    throw Error(ErrorKind::bad_input,
                file +
                    ": expected dense layers, or a file of convolutions alone, found no dense layers, but "
                    "tensors that may be theirs");
}

VggTensors recognise(const std::vector<Module>& modules, const CheckpointFacts& facts,
                     const std::string& file, const ImportOptions& options) {
    try {
        VggTensors vgg = recognise_vgg(modules, file, options.key, options.features_only);
        if (!options.features_only) require_no_unread_classifier(vgg, facts, file);
        return vgg;
    } catch (const Error& error) {
        // Missing tensors may exist in the file in a form that is not supported.
        if (!facts.quantized.empty()) fail_as_quantized(facts, file);
        throw Error(error.kind(), error.what() + unread_text(facts));
    }
}

std::string lineage_step(const std::string& file, const ImportOptions& options, const VggTensors& vgg,
                         double epsilon) {
    std::string step = surgery_name(Surgery::convert) + (" " + file);
    if (!options.key.empty()) step += " --key " + options.key;
    step += settings_text(options);
    if (vgg.batch_norm) step += " (batch norm folded, epsilon " + shortest_text(epsilon) + ")";
    for (const std::string& applied : vgg.applied) step += " (" + applied + ")";
    return step;
}

/// The options, and what the modules say in addition; changes the end of features alone, and adds notes.
ImportOptions with_modules(const ModuleCheck& modules, const std::string& last_relu,
                           const ImportOptions& options, VggTensors& vgg) {
    vgg.notes.insert(vgg.notes.end(), modules.notes.begin(), modules.notes.end());
    if (!last_relu.empty() && vgg.network.has_classifier()) {
        vgg.notes.push_back(left_out_text(printable(last_relu), "ReLU"));
    }
    ImportOptions result = options;
    if (modules.averages_pools && !options.pooling) {
        result.pooling = Pooling::average;
        vgg.notes.emplace_back("average pools, as the modules in the file say");
    }
    if (modules.ends_with_pool.value_or(vgg.network.ends_with_pool()) == vgg.network.ends_with_pool()) {
        return result;
    }
    std::vector<std::size_t> features = vgg.network.features();
    if (*modules.ends_with_pool) {
        features.push_back(0);
    } else {
        features.pop_back();
    }
    vgg.network = model::Network(features, {});
    return result;
}

/// The options, and what the file says about the network's input in addition; adds notes.
ImportOptions with_file(const CheckpointFacts& facts, ImportOptions options, VggTensors& vgg) {
    vgg.notes.insert(vgg.notes.end(), facts.notes.begin(), facts.notes.end());
    const bool is_usual = facts.input_size == MapSize(vgg.network.natural_input_size()) &&
                          vgg.network.pooled_side() == model::default_pooled_side;
    // A graph may be exported for another size than the model's.
    if (options.input_size.empty() && !is_usual && facts.exported.empty()) {
        options.input_size = facts.input_size;
    }
    if (facts.preprocessing.empty()) return options;
    if (!options.channel_order && !options.range && !options.mean && !options.deviation) {
        vgg.notes.push_back(
            "pictures are prepared as for such files in general, --preprocessing " + facts.preprocessing +
            "; if this network was trained with others, say so with --preprocessing torchvision, or "
            "with --channels, --range, --mean and --std");
    }
    set_known_preprocessing(facts.preprocessing, options);
    return options;
}

/// Everything except the source's hash. Adds notes to the VGG's.
model::Description describe(const std::filesystem::path& input, const ImportOptions& options,
                            const CheckpointFacts& facts, double epsilon, VggTensors& vgg) {
    const auto exported = exported_description(facts, vgg.network, options.features_only, vgg.notes);
    model::Description description = exported.value_or(model::Description{
        .network = vgg.network, .preprocessing = {}, .variant = "baseline", .source_sha256 = {}});
    if (exported && !vgg.network.has_classifier()) {
        vgg.network = model::Network(exported->network.features(), {});
    }
    description.network = vgg.network;
    description.lineage.push_back(lineage_step(input.filename().string(), options, vgg, epsilon));
    ImportOptions settings = options;
    if (!exported && options.input_size.empty() && vgg.network.pooled_side() != model::default_pooled_side) {
        settings.input_size = vgg.network.natural_input_size();
    }
    apply_settings(settings, description);
    if (!exported) note_preprocessing(options, vgg.network, description.preprocessing, vgg.notes);
    const std::size_t classes = vgg.network.classes();
    if (classes == 0 && vgg.network.ends_with_pool()) {
        vgg.notes.push_back("the last output is the pool after " + printable(vgg.convolution_paths.back()));
    }
    if (!options.classes.empty()) {
        description.class_names = given_names(options, vgg.network);
    } else if (!exported) {
        description.class_names = names_in(facts, classes, vgg.notes);
    } else if (classes == 0) {
        description.class_names.clear();
    }
    return description;
}

ImportReport import_checkpoint(const StateDict& source, const std::filesystem::path& input,
                               const model::Destination& output, const ImportOptions& options,
                               const model::Progress& progress) {
    const CheckpointFacts& facts = source.facts();
    const std::vector<Module> modules = modules_of(source.tensors());
    VggTensors vgg = recognise(modules, facts, input.string(), options);
    const ImportOptions settings = with_file(
        facts,
        with_modules(check_module_types(vgg, facts.modules, input.string()), facts.last_relu, options, vgg),
        vgg);
    const double epsilon =
        vgg.batch_norm ? find_batch_norm_epsilon(vgg, facts.batch_norm_epsilons,
                                                 options.batch_norm_epsilon != 0 ? options.batch_norm_epsilon
                                                                                 : facts.usual_epsilon,
                                                 input.string())
                       : 0;
    model::Description description = describe(input, settings, facts, epsilon, vgg);

    // Deferred, where the system refuses a thread.
    std::future<std::string> sha256 =
        std::async(std::launch::async | std::launch::deferred, file_sha256, input);
    Weights weights(source);
    add_layers(vgg, options.dense_order.value_or(model::DenseOrder::input_major), epsilon, weights);
    description.source_sha256 = sha256.get();
    source.require_unchanged();
    try {
        model::write_model(output, description, weights.tensors(), progress, source.mapping());
    } catch (const Error& error) {
        // An error in the weights is an error of the input file.
        if (error.kind() != ErrorKind::bad_input) throw;
        throw Error(error.kind(), input.string() + ": cannot be converted: " + error.what());
    }
    return {.title = vgg.title,
            .prefix = printable(vgg.prefix),
            .tensors = vgg.tensors,
            .dense = dense_text(vgg),
            .left = std::move(vgg.left),
            .skipped = facts.skipped,
            .notes = std::move(vgg.notes)};
}

}  // namespace

ImportReport import_model(const std::filesystem::path& input, const std::filesystem::path& output,
                          const ImportOptions& options, const model::Progress& progress) {
    if (output.empty()) {
        throw Error(ErrorKind::usage, "output: expected the path of the file to write, found none");
    }
    model::require_other_file(input, output);
    const StateDict source = StateDict::open(input, options.formats);
    const model::Destination to(output, options.pack);
    if (source.is_model()) return change_our_model(input, to, options, progress);
    return model::reading(source.mapping(),
                          [&] { return import_checkpoint(source, input, to, options, progress); });
}

}  // namespace vgg19::converter

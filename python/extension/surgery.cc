#include "python/extension/surgery.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "python/extension/arguments.h"
#include "python/extension/interpreter.h"
#include "python/extension/interrupts.h"
#include "python/extension/model.h"
#include "python/extension/results.h"
#include "python/library/limits.h"
#include "python/library/surgery.h"

namespace vgg19::python {

namespace nb = nanobind;

namespace {

/// Takes arguments by name out of what _surgery.py gives.
class Arguments {
  public:
    explicit Arguments(nb::dict given) : given_(std::move(given)) {}

    template <class Value>
    void take(const char* name, Value& value) const {
        if (given_.contains(name)) value = argument<Value>(nb::object(given_[name]), name);
    }
    template <class Value>
    void take(const char* name, std::optional<Value>& value) const {
        if (given_.contains(name)) value = argument<Value>(nb::object(given_[name]), name);
    }
    void take(const char* name, MapSize& size) const {
        if (given_.contains(name)) size = size_of(nb::object(given_[name]));
    }

  private:
    nb::dict given_;
};

/// Calls the function with the interpreter's lock; without one, still lets Ctrl-C end the work.
Progress progress_to(const nb::object& function) {
    return [function, interrupts = Interrupts()](std::string_view work, std::uint64_t done,
                                                 std::uint64_t total) mutable {
        interrupts.is_cancelled();
        if (function.is_none()) return;
        const Locked lock;
        called(function, nb::make_tuple(text(work), done, total));
    };
}

/// What the function gives, called while other threads of Python run.
template <class Function>
auto without_lock(const Function& function) {
    const Unlocked unlocked;
    return function();
}

nb::list texts(const std::vector<std::string>& strings) {
    nb::list list;
    for (const std::string& string : strings) list.append(text(string));
    return list;
}

PictureOptions picture_options(const Arguments& arguments) {
    PictureOptions options;
    arguments.take("pictures", options.pictures);
    arguments.take("count", options.count);
    arguments.take("size", options.size);
    arguments.take("threads", options.threads);
    arguments.take("isa", options.isa);
    arguments.take("exif", options.exif);
    return options;
}

nb::object convert_to(const std::filesystem::path& source, const std::filesystem::path& destination,
                      const nb::dict& given, const nb::object& progress) {
    const Arguments arguments(given);
    ConvertOptions options;
    arguments.take("dense_order", options.dense_order);
    arguments.take("key", options.key);
    arguments.take("batch_norm_epsilon", options.batch_norm_epsilon);
    arguments.take("classes", options.classes);
    arguments.take("size", options.size);
    arguments.take("features_only", options.features_only);
    arguments.take("pooling", options.pooling);
    arguments.take("preprocessing", options.preprocessing);
    arguments.take("channels", options.channels);
    arguments.take("range", options.range);
    arguments.take("mean", options.mean);
    arguments.take("deviation", options.deviation);
    const Progress told = progress_to(progress);
    const Conversion done = without_lock([&] { return convert(source, destination, options, told); });
    nb::list left;
    for (const auto& [place, count] : done.left) left.append(nb::make_tuple(text(place), count));
    return nb::make_tuple(text(done.title), text(done.prefix), done.tensors, text(done.dense), left,
                          texts(done.skipped), texts(done.notes));
}

nb::object to_python(const Quantization& done) {
    const PythonClass layer_type = result_class("QuantizedLayer");
    const PythonClass sensitivity_type = result_class("LayerSensitivity");
    nb::list layers;
    for (const QuantizedLayer& layer : done.convolutions) {
        layers.append(layer_type(text(layer.name), layer.input_scale, layer.clipped, layer.direct_error,
                                 layer.winograd_error, layer.winograd_f4x4_error, layer.winograd));
    }
    nb::list sensitivity;
    for (const LayerSensitivity& layer : done.sensitivity) {
        sensitivity.append(sensitivity_type(text(layer.layer), text(layer.way), text(layer.kernel),
                                            layer.relative_l2, layer.cosine, layer.same_prediction));
    }
    return nb::make_tuple(layers, sensitivity, done.pictures, texts(done.broken));
}

nb::object quantize_to(const PythonModel& model, const std::filesystem::path& destination,
                       const nb::dict& given, const nb::object& progress) {
    const Arguments arguments(given);
    QuantizeOptions options;
    options.pictures = picture_options(arguments);
    arguments.take("scope", options.scope);
    arguments.take("dense", options.dense);
    arguments.take("range", options.range);
    arguments.take("keep_fp32", options.keep_fp32);
    arguments.take("no_winograd", options.no_winograd);
    arguments.take("all_direct", options.all_direct);
    arguments.take("equalization", options.equalization);
    arguments.take("bias_correction", options.bias_correction);
    arguments.take("sensitivity", options.sensitivity);
    const Progress told = progress_to(progress);
    return to_python(without_lock([&] { return quantize(model.model, destination, options, told); }));
}

nb::object to_python(const Pruning& done) {
    const PythonClass layer_type = result_class("PrunedLayer");
    const PythonClass refitted_type = result_class("RefittedLayer");
    nb::list layers;
    for (const PrunedLayer& layer : done.layers) {
        nb::list removed;
        for (const std::size_t channel : layer.removed) removed.append(channel);
        layers.append(layer_type(text(layer.name), layer.channels, removed));
    }
    nb::list refitted;
    for (const RefittedLayer& layer : done.refitted) {
        refitted.append(
            refitted_type(text(layer.name), layer.unknowns, layer.samples, layer.ridge, layer.error));
    }
    return nb::make_tuple(layers, refitted, done.pictures, texts(done.broken));
}

nb::object prune_to(const PythonModel& model, const std::filesystem::path& destination, const nb::dict& given,
                    const nb::object& progress) {
    const Arguments arguments(given);
    PruneOptions options;
    const PictureOptions pictures = picture_options(arguments);
    require_cpu(pictures.threads, pictures.isa);
    if (given.contains("pictures")) options.pictures = pictures;
    arguments.take("ratio", options.ratio);
    arguments.take("target_macs", options.target_macs);
    arguments.take("layers", options.layers);
    arguments.take("round_to", options.round_to);
    arguments.take("criterion", options.criterion);
    arguments.take("seed", options.seed);
    arguments.take("plan", options.plan);
    arguments.take("refit", options.refit);
    const Progress told = progress_to(progress);
    return to_python(without_lock([&] { return prune(model.model, destination, options, told); }));
}

nb::object to_python(const Share& share) {
    return result_class("Share")(share.count, nb::make_tuple(share.low, share.high));
}

nb::object to_python(const Accuracy& accuracy) {
    return result_class("Accuracy")(accuracy.pictures, to_python(accuracy.top1), to_python(accuracy.top3),
                                    to_python(accuracy.top5));
}

nb::object to_python(const std::optional<Comparison>& comparison) {
    if (!comparison) return nb::none();
    return result_class("Comparison")(to_python(comparison->reference), to_python(comparison->same_top1),
                                      comparison->only_model_right, comparison->only_reference_right,
                                      comparison->mean_cosine, comparison->smallest_cosine,
                                      text(comparison->smallest_cosine_picture));
}

nb::object to_python(const Evaluation& done) {
    const PythonClass class_type = result_class("ClassAccuracy");
    const PythonClass confusion_type = result_class("Confusion");
    nb::list classes;
    for (const ClassAccuracy& one : done.classes) {
        classes.append(class_type(text(one.name), one.model_class, to_python(one.accuracy)));
    }
    nb::list predictions;
    for (const Confusion& count : done.predictions) {
        predictions.append(confusion_type(count.data_class, count.predicted, count.pictures));
    }
    return result_class("Evaluation")(to_python(done.total), classes, predictions, to_python(done.comparison),
                                      text(done.class_order), texts(done.broken));
}

nb::object evaluate_on(const PythonModel& model, const nb::object& reference, const nb::dict& given,
                       const nb::object& progress) {
    const Arguments arguments(given);
    EvaluateOptions options;
    options.pictures = picture_options(arguments);
    arguments.take("batch", options.batch);
    arguments.take("label_map", options.label_map);
    arguments.take("class_order", options.class_order);
    std::optional<Model> other;
    if (!reference.is_none()) other = model_in(reference, "reference").model;
    const Progress told = progress_to(progress);
    return to_python(without_lock([&] { return evaluate(model.model, other, options, told); }));
}

void export_to(const PythonModel& model, const std::filesystem::path& destination, bool is_onnx,
               const nb::dict& given, const nb::object& progress) {
    const Arguments arguments(given);
    ExportOptions options;
    arguments.take("size", options.size);
    arguments.take("batch", options.batch);
    arguments.take("outputs", options.outputs);
    arguments.take("fp32", options.fp32);
    const Progress told = progress_to(progress);
    const Unlocked unlocked;
    if (is_onnx) {
        export_onnx(model.model, destination, options, told);
    } else {
        export_torch(model.model, destination, told);
    }
}

}  // namespace

void bind_surgery(nb::module_& module) {
    module.def("_convert", convert_to, nb::arg("source"), nb::arg("destination"), nb::arg("options"),
               nb::arg("progress").none());
    module.def("_export", export_to, nb::arg("model"), nb::arg("destination"), nb::arg("is_onnx"),
               nb::arg("options"), nb::arg("progress").none());
    module.def("_quantize", quantize_to, nb::arg("model"), nb::arg("destination"), nb::arg("options"),
               nb::arg("progress").none());
    module.def("_prune", prune_to, nb::arg("model"), nb::arg("destination"), nb::arg("options"),
               nb::arg("progress").none());
    module.def("_evaluate", evaluate_on, nb::arg("model"), nb::arg("reference").none(), nb::arg("options"),
               nb::arg("progress").none());
}

}  // namespace vgg19::python

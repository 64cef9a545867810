#include "python/extension/results.h"

#include <nanobind/stl/string.h>

#include <array>
#include <cstddef>
#include <string>

namespace vgg19::python {

namespace {

const char* name_of(StepKind kind) {
    switch (kind) {
        case StepKind::convolution:
            return "convolution";
        case StepKind::max_pool:
            return "max_pool";
        case StepKind::quantization:
            return "quantization";
        case StepKind::average_pool:
            return "average_pool";
        case StepKind::flatten:
            return "flatten";
        case StepKind::dense:
            return "dense";
        case StepKind::output:
            return "output";
        case StepKind::relu:
            return "relu";
        case StepKind::average_pool_2x2:
            return "average_pool_2x2";
        case StepKind::softmax:
            return "softmax";
    }
    return "";
}

nb::tuple three(const std::array<float, 3>& values) {
    return nb::make_tuple(values[0], values[1], values[2]);
}

}  // namespace

PythonClass result_class(const char* name) {
    return PythonClass(imported("vgg19._results").attr(name));
}

nb::str text(std::string_view text) {
    PyObject* made =
        PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "backslashreplace");
    if (made == nullptr) nb::raise_python_error();
    return nb::steal<nb::str>(made);
}

nb::tuple size_tuple(MapSize size) {
    return nb::make_tuple(size.height, size.width);
}

MapSize size_of(nb::handle size) {
    if (size.is_none()) return {};
    std::size_t side = 0;
    if (nb::try_cast(size, side)) return {side};
    if (nb::isinstance<nb::sequence>(size) && nb::len(size) == 2) {
        MapSize sides;
        if (nb::try_cast(nb::object(size[0]), sides.height) &&
            nb::try_cast(nb::object(size[1]), sides.width)) {
            return sides;
        }
    }
    throw nb::type_error(("size: expected a number of pixels, or (height, width), found " +
                          nb::cast<std::string>(nb::repr(size)))
                             .c_str());
}

nb::object to_python(const Preprocessing& preprocessing) {
    return result_class("Preprocessing")(size_tuple(preprocessing.input_size), preprocessing.resize_ratio,
                                         three(preprocessing.mean), three(preprocessing.deviation),
                                         preprocessing.channel_order == ChannelOrder::rgb ? "RGB" : "BGR",
                                         preprocessing.range);
}

nb::object to_python(const std::vector<Prediction>& predictions) {
    const PythonClass made = result_class("Prediction");
    nb::list list;
    for (const Prediction& prediction : predictions) {
        list.append(made(prediction.class_index, prediction.probability, text(prediction.label),
                         text(prediction.synset)));
    }
    return list;
}

nb::object to_python(const std::vector<Output>& outputs) {
    const PythonClass made = result_class("Output");
    nb::list list;
    for (const Output& output : outputs) {
        nb::list shape;
        for (const std::size_t side : output.shape) shape.append(side);
        list.append(made(text(output.name), nb::tuple(shape)));
    }
    return list;
}

nb::object to_python(const std::vector<PlanStep>& plan) {
    const PythonClass made = result_class("PlanStep");
    nb::list list;
    for (const PlanStep& step : plan) {
        list.append(made(name_of(step.kind), step.arithmetic == Arithmetic::fp32 ? "fp32" : "int8",
                         text(step.layer), text(step.kernel), step.macs, step.operations, step.weight_bytes,
                         step.activation_bytes));
    }
    return list;
}

const char* name_of(Pooling pooling) {
    return pooling == Pooling::max ? "max" : "average";
}

}  // namespace vgg19::python

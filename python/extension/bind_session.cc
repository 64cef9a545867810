#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "python/extension/arguments.h"
#include "python/extension/interpreter.h"
#include "python/extension/results.h"
#include "python/extension/session.h"
#include "vgg19/error.h"

namespace vgg19::python {

namespace {

std::optional<Pooling> pooling_named(const std::optional<std::string>& name) {
    if (!name) return {};
    if (*name == "max") return Pooling::max;
    if (*name == "average") return Pooling::average;
    throw Error(ErrorKind::usage, "pooling: expected max or average, found '" + *name + "'");
}

std::vector<std::string> output_names(nb::handle outputs) {
    if (outputs.is_none()) return {};
    if (nb::isinstance<nb::str>(outputs)) return {nb::cast<std::string>(outputs)};
    std::vector<std::string> names;
    if (!nb::try_cast(outputs, names)) {
        throw nb::type_error("outputs: expected a name or a sequence of names");
    }
    // Results are a dict by these names.
    for (auto name = names.begin(); name != names.end(); ++name) {
        if (std::find(names.begin(), name, *name) != name) {
            throw Error(ErrorKind::usage, "outputs: expected each name once, found '" + *name + "' twice");
        }
    }
    return names;
}

const char* name_of(LogLevel level) {
    switch (level) {
        case LogLevel::detail:
            return "detail";
        case LogLevel::information:
            return "information";
        case LogLevel::warning:
            return "warning";
    }
    return "";
}

/// Calls the function with the interpreter's lock. What it raises leaves the call of the library.
Log log_to(const std::shared_ptr<nb::object>& function) {
    if (!function->is_valid()) return {};
    return [function](LogLevel level, std::string_view message) {
        const Locked lock;
        const nb::object now = *function;
        if (now.is_valid()) called(now, nb::make_tuple(name_of(level), text(message)));
    };
}

/// The one reference that the session has, however often the library copies its log.
std::shared_ptr<nb::object> shared_function(const nb::object& function) {
    if (function.is_none()) return std::make_shared<nb::object>();
    if (PyCallable_Check(function.ptr()) == 0) refuse_argument("log", "a function", function);
    return std::make_shared<nb::object>(function);
}

void construct(PythonSession* self, const nb::object& model, int threads, nb::handle size, std::size_t batch,
               nb::handle outputs, bool gradients, const std::optional<std::string>& pooling,
               const std::optional<std::string>& isa, const std::optional<std::string>& convolution,
               const std::optional<std::filesystem::path>& plan_file, const nb::object& log) {
    SessionOptions options;
    options.threads = threads;
    options.set_input_size(size_of(size));
    options.batch = batch;
    options.outputs = output_names(outputs);
    options.gradients = gradients;
    options.pooling = pooling_named(pooling);
    options.isa = isa.value_or("");
    options.convolution = convolution.value_or("");
    options.plan_file = plan_file ? plan_file->string() : "";
    const std::shared_ptr<nb::object> function = shared_function(log);
    options.log = log_to(function);
    new (self) PythonSession(model, options, function);
}

constexpr const char* construct_signature =
    "def __init__(self, model: Model | str | os.PathLike[str], *, threads: int = 0, "
    "size: int | tuple[int, int] | None = None, batch: int = 1, "
    "outputs: str | collections.abc.Sequence[str] | None = None, gradients: bool = False, "
    "pooling: str | None = None, isa: str | None = None, convolution: str | None = None, "
    "plan_file: str | os.PathLike[str] | None = None, "
    "log: collections.abc.Callable[[str, str], object] | None = None) -> None";

constexpr const char* class_documentation =
    "A model ready to run, at one input size at a time.\n\n"
    "Packs the weights, plans what runs each layer on this CPU, and holds all memory of runs. Use one "
    "session\n"
    "per thread: a call during another one raises UsageError. While a session computes, other Python "
    "threads\n"
    "run, and Ctrl-C ends the call with KeyboardInterrupt. Results are bitwise the same for every number of\n"
    "threads and every batch. Sessions cannot be pickled; their models can.\n\n"
    "threads: 0 means as many as this process has CPUs.\n"
    "size: of the input in pixels, a square or (height, width): 32 to 8192 (16 if all outputs are maps that\n"
    "  have a pixel then). None: the model's own.\n"
    "batch: pictures per run.\n"
    "outputs: what a run computes, by torchvision's names (\"features.28\", \"classifier.4\") or the "
    "literature's\n"
    "  (\"conv5_1\", \"relu5_1\", \"pool5\", \"fc6\", \"relu6\", \"fc7\", \"relu7\", \"logits\", "
    "\"probabilities\").\n"
    "  None: \"logits\", or the last map of a model without a classifier. Later layers are not run.\n"
    "gradients: whether backward() can be called. Only for FP32 models.\n"
    "pooling: \"max\" or \"average\" in place of the model's own pools.\n"
    "isa: \"portable\", \"avx2\", ...; None: the value of VGG19_ISA, else the best of this CPU.\n"
    "convolution: \"auto\", \"winograd\" or \"direct\".\n"
    "plan_file: a file of `vgg19 tune`, with this CPU's measured constants.\n"
    "log: told what the session decides, as log(level, message), with level \"detail\", \"information\" or\n"
    "  \"warning\".";

void bind_runs(nb::class_<PythonSession>& type) {
    type.def("run", &PythonSession::run, nb::arg("input").none(), nb::arg("out").none() = nb::none(),
             nb::sig("def run(self, input: typing.Any, out: typing.Any = None) -> typing.Any"),
             "Runs the network on float32 (batch, 3, height, width), normalised as `model.preprocessing` "
             "says.\n\n"
             "Returns a float32 numpy array if the session has one output, else a dict of them by the "
             "outputs'\n"
             "names; for shapes see `outputs`. `out`: an array (or such a dict, also with some of the names) "
             "to\n"
             "write into, which is returned; arrays may not share memory. Arrays are numpy's, or tensors of\n"
             "another library that knows DLPack, in C order in the CPU's memory, and are used without a "
             "copy.\n\n"
             "Raises UsageError for an array of another type, shape or order, BadInputError for a value that "
             "is\n"
             "not finite.")
        .def("backward", &PythonSession::backward, nb::arg("gradients").none(),
             nb::arg("out").none() = nb::none(),
             nb::sig("def backward(self, gradients: typing.Any, out: typing.Any = None) -> typing.Any"),
             "The gradient of a scalar with respect to the last run's input, (batch, 3, height, width).\n\n"
             "`gradients`: the scalar's gradient with respect to the session's only output, or a dict of "
             "them\n"
             "by names, in which an output on which the scalar does not depend may be missing or None. Each "
             "has\n"
             "its output's shape. Only in a session made with gradients=True, after a complete run. `out` "
             "and\n"
             "errors as in run(). The input and outputs of the run need not exist any more.")
        .def(
            "copy_record", &PythonSession::copy_record, nb::arg("out"),
            nb::sig("def copy_record(self, out: typing.Any) -> typing.Any"),
            "Copies what the last run keeps for backward() to `out`, uint8 (record_bytes,), and returns it.\n"
            "After set_record(out), backward() is of that run, whatever has run in between.")
        .def("set_record", &PythonSession::set_record, nb::arg("record"),
             nb::sig("def set_record(self, record: typing.Any) -> None"),
             "Lets backward() be of the run whose record this is: of this session, or another one of the "
             "same\n"
             "model and options, at the size and batch that the session has now. Raises BadInputError for "
             "other\n"
             "bytes.")
        .def("reshape", &PythonSession::reshape, nb::arg("size").none(), nb::arg("batch") = 1,
             nb::sig("def reshape(self, size: int | tuple[int, int] | None, batch: int = 1) -> None"),
             "Plans the session for another size or batch, with the weights that are packed. Each layer "
             "keeps\n"
             "its algorithm. With an exception, the session stays as it was.")
        .def("cancel", &PythonSession::cancel,
             "Ends the call that is in progress in another thread, soon, with CancelledError there. Does "
             "nothing\n"
             "if there is none. May be called from any thread.");
}

void bind_pictures(nb::class_<PythonSession>& type) {
    type.def(
            "classify", &PythonSession::classify, nb::arg("picture").none(),
            nb::arg("top").none() = nb::none(),
            nb::sig("def classify(self, picture: typing.Any, top: int | None = None) -> "
                    "list[vgg19._results.Prediction]"),
            "The `top` most probable classes of one picture, the most probable first. None: 5, or all if "
            "the\n"
            "model has fewer. Only for sessions of batch 1 with the output \"logits\".\n\n"
            "`picture`: a path, the bytes of a file, uint8 (height, width, 3) in the order R, G, B, or an\n"
            "image of Pillow. Files are turned as their EXIF orientation says; Pillow's images are taken as\n"
            "they are. Transparent pixels are blended over white.")
        .def("predictions", &PythonSession::predictions, nb::arg("logits"),
             nb::arg("top").none() = nb::none(),
             nb::sig("def predictions(self, logits: typing.Any, top: int | None = None) -> "
                     "list[vgg19._results.Prediction]"),
             "The `top` most probable classes of one picture's logits, float32 (classes,), as classify() "
             "gives\n"
             "them: for a batch that run() has computed.")
        .def("preprocess", &PythonSession::preprocess, nb::arg("picture").none(),
             nb::arg("out").none() = nb::none(),
             nb::sig("def preprocess(self, picture: typing.Any, out: typing.Any = None) -> typing.Any"),
             "A picture, as classify() takes it, as the network's input: float32 (3, height, width) of the\n"
             "session's size.")
        .def("features", &PythonSession::features, nb::arg("pictures"),
             nb::sig("def features(self, *pictures: typing.Any) -> typing.Any"),
             "The session's outputs for pictures, each as classify() takes it: what run() returns, with the\n"
             "pictures along the first axis. Any number of pictures; `batch` of them are run at a time.");
}

}  // namespace

void bind_session(nb::module_& module) {
    nb::class_<PythonSession> type(module, "Session", nb::is_final(),
                                   nb::type_slots(PythonSession::collection_slots()), class_documentation);
    type.def("__init__", construct, nb::arg("model"), nb::kw_only(), nb::arg("threads") = 0,
             nb::arg("size").none() = nb::none(), nb::arg("batch") = 1,
             nb::arg("outputs").none() = nb::none(), nb::arg("gradients") = false,
             nb::arg("pooling").none() = nb::none(), nb::arg("isa").none() = nb::none(),
             nb::arg("convolution").none() = nb::none(), nb::arg("plan_file").none() = nb::none(),
             nb::arg("log").none() = nb::none(), nb::sig(construct_signature));
    bind_runs(type);
    bind_pictures(type);
    type.def_prop_ro(
            "model", [](const PythonSession& self) { return self.model(); },
            nb::sig("def model(self) -> Model"), "The model that it runs.")
        .def_prop_ro(
            "outputs", [](const PythonSession& self) { return to_python(self.outputs()); },
            nb::sig("def outputs(self) -> list[vgg19._results.Output]"),
            "Names and shapes of what run() returns, in the order in which they were asked for.")
        .def_prop_ro("plan", &PythonSession::plan, nb::sig("def plan(self) -> list[vgg19._results.PlanStep]"),
                     "The steps that a run executes.")
        .def_prop_ro(
            "input_size", [](const PythonSession& self) { return size_tuple(self.input_size()); },
            nb::sig("def input_size(self) -> tuple[int, int]"), "(height, width) in pixels.")
        .def_prop_ro("in_use", &PythonSession::is_in_use,
                     "Whether a call is in progress, on any thread. It may end before you look.")
        .def_prop_ro("batch", &PythonSession::batch, "Pictures per run.")
        .def_prop_ro("record_bytes", &PythonSession::record_bytes,
                     "The size of a record; 0 in a session made without gradients=True.")
        .def_prop_ro("threads", &PythonSession::threads, "The most threads that compute a run.");
}

}  // namespace vgg19::python

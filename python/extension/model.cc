#include "python/extension/model.h"

#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "python/extension/interpreter.h"
#include "python/extension/results.h"
#include "python/library/limits.h"
#include "python/library/models.h"

namespace vgg19::python {

namespace {

/// Lets go of a caller's memory on any thread, also one that Python does not know.
struct Release {
    void operator()(Py_buffer* buffer) const {
        if (Py_IsInitialized() == 0) return;  // the interpreter has ended, and its objects with it
        const Locked lock;
        PyBuffer_Release(buffer);
        delete buffer;
    }
};

PythonModel model_of_bytes(nb::handle buffer) {
    // A memoryview turns any buffer into one that is an array.
    const nb::object view = nb::steal(PyMemoryView_FromObject(buffer.ptr()));
    if (!view.is_valid()) nb::raise_python_error();
    const nb::object bytes = view.attr("cast")("B");
    auto held = std::make_unique<Py_buffer>();
    if (PyObject_GetBuffer(bytes.ptr(), held.get(), PyBUF_SIMPLE) != 0) nb::raise_python_error();
    const std::shared_ptr<Py_buffer> owner(held.release(), Release());
    const std::span<const std::byte> memory(static_cast<const std::byte*>(owner->buf),
                                            static_cast<std::size_t>(owner->len));
    return {Model::from_memory(memory, owner), {}, bytes.attr("toreadonly")(), false, bytes};
}

/// The file's pages as the system has them, which all processes share.
nb::object mapping_of(const std::filesystem::path& path) {
    const nb::object file = nb::module_::import_("builtins").attr("open")(path, "rb");
    const nb::module_ mmap = nb::module_::import_("mmap");
    nb::object mapping =
        mmap.attr("mmap")(file.attr("fileno")(), 0, nb::arg("access") = mmap.attr("ACCESS_READ"));
    file.attr("close")();
    return mapping;
}

PythonModel open_model(const std::optional<std::filesystem::path>& given, bool mapped) {
    PythonModel opened = [&] {
        const Unlocked unlocked;
        const std::filesystem::path path = given ? *given : published_baseline();
        return PythonModel{Model::open(path), std::filesystem::absolute(path), {}, mapped};
    }();
    if (!mapped) return opened;
    const PythonModel in_memory = model_of_bytes(mapping_of(*opened.path));
    return {in_memory.model, opened.path, in_memory.buffer, true, in_memory.exporter};
}

nb::object buffer_of(const PythonModel& self) {
    if (self.buffer.is_valid()) return self.buffer;
    return nb::steal(PyMemoryView_FromObject(mapping_of(*self.path).ptr()));
}

nb::object path_of(const PythonModel& self) {
    return self.path ? nb::cast(*self.path) : nb::none();
}

/// By its path, which another process must be able to open, or by its bytes.
nb::tuple reduced(const PythonModel& self, int protocol) {
    constexpr int first_with_buffers = 5;
    const nb::module_ package = nb::module_::import_("vgg19._pickling");
    if (self.path) return nb::make_tuple(package.attr("open_model"), nb::make_tuple(*self.path, self.mapped));
    const nb::object bytes = protocol >= first_with_buffers
                                 ? nb::module_::import_("pickle").attr("PickleBuffer")(self.buffer)
                                 : self.buffer.attr("tobytes")();
    return nb::make_tuple(package.attr("model_of_bytes"), nb::make_tuple(bytes));
}

/// For Python's collector of cycles: the buffer may hold the model.
int traverse(PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    if (!nb::inst_ready(self)) return 0;
    const auto* const model = nb::inst_ptr<PythonModel>(self);
    Py_VISIT(model->buffer.ptr());
    Py_VISIT(model->exporter.ptr());
    return 0;
}

PyType_Slot* collection_slots() {
    static std::array<PyType_Slot, 2> slots = {
        {{Py_tp_traverse, reinterpret_cast<void*>(traverse)}, {0, nullptr}}};
    return slots.data();
}

std::string described(const PythonModel& self) {
    return "<vgg19.Model " + nb::cast<std::string>(nb::repr(text(self.model.variant()))) + ", " +
           std::to_string(self.model.classes()) + " classes, " +
           std::to_string(self.model.active_parameters()) + " parameters" +
           (self.path ? ", " + nb::cast<std::string>(nb::str(path_of(self))) : std::string(", in memory")) +
           ">";
}

void bind_facts(nb::class_<PythonModel>& type) {
    type.def_prop_ro(
            "variant", [](const PythonModel& self) { return text(self.model.variant()); },
            R"("baseline", "pruned", "int8", ...)")
        .def_prop_ro(
            "classes", [](const PythonModel& self) { return self.model.classes(); },
            "The number of classes; 0 for a model of features alone.")
        .def_prop_ro(
            "class_names",
            [](const PythonModel& self) {
                nb::list names;
                for (const std::string& name : self.model.class_names()) names.append(text(name));
                return names;
            },
            nb::sig("def class_names(self) -> list[str]"),
            "One name per class, in the order of the logits; empty if the file has none. Predictions of\n"
            "ImageNet's 1000 classes are named all the same.")
        .def_prop_ro(
            "lineage",
            [](const PythonModel& self) {
                nb::list steps;
                for (const std::string& step : self.model.lineage()) steps.append(text(step));
                return steps;
            },
            nb::sig("def lineage(self) -> list[str]"), "The steps that produced the file, oldest first.")
        .def_prop_ro(
            "preprocessing", [](const PythonModel& self) { return to_python(self.model.preprocessing()); },
            nb::sig("def preprocessing(self) -> vgg19._results.Preprocessing"),
            "How a picture becomes the network's input.")
        .def_prop_ro(
            "pooling", [](const PythonModel& self) { return name_of(self.model.pooling()); },
            R"(What the 2x2 pools compute: "max" or "average".)")
        .def_prop_ro(
            "file_bytes", [](const PythonModel& self) { return self.model.file_bytes(); },
            "The size of the file.")
        .def_prop_ro(
            "active_parameters", [](const PythonModel& self) { return self.model.active_parameters(); },
            "Weights and biases, including INT8 ones, without scales.")
        .def_prop_ro("path", path_of, nb::sig("def path(self) -> pathlib.Path | None"),
                     "The file, as an absolute path; None for a model in memory.")
        .def_prop_ro("buffer", buffer_of, nb::sig("def buffer(self) -> memoryview"),
                     "The file's bytes, read-only and without a copy: the caller's memory, or a mapping.")
        .def(
            "macs",
            [](const PythonModel& self, nb::handle size) {
                const MapSize sides = size_of(size);
                require_input_size(sides);
                return self.model.macs(sides);
            },
            nb::arg("size"), nb::sig("def macs(self, size: int | tuple[int, int]) -> int"),
            "Multiply-accumulates for one picture of `size` pixels (a square, or (height, width)).");
}

}  // namespace

const PythonModel& model_in(nb::handle object, const char* name) {
    if (nb::isinstance<PythonModel>(object) && nb::inst_ready(object)) {
        return *nb::inst_ptr<PythonModel>(object);
    }
    throw nb::type_error(
        (std::string(name) + ": expected a Model that was opened, found " +
         (nb::isinstance<PythonModel>(object) ? "one that was not: Model.open() and Model.convert() make them"
                                              : nb::cast<std::string>(nb::repr(object))))
            .c_str());
}

void bind_model(nb::module_& module) {
    nb::class_<PythonModel> type(module, "Model", nb::is_final(), nb::type_slots(collection_slots()),
                                 "A model file, opened and checked. Immutable and thread-safe; copies, also "
                                 "in other processes (it can\n"
                                 "be pickled, by its path), share the file.");
    type.def_static(
            "open", open_model, nb::arg("path").none() = nb::none(), nb::kw_only(), nb::arg("mapped") = false,
            nb::sig("def open(path: str | os.PathLike[str] | None = None, *, mapped: bool = False) -> Model"),
            "Opens a file written by vgg19.convert() or a later step, and checks all but its weights'\n"
            "checksums. Without a path: the weights that torchvision publishes, if they are in the user's\n"
            "cache folder. Raises BadInputError that says all that is wrong, UsageError that says how to "
            "get\n"
            "the published weights.\n\n"
            "mapped: sessions use the file's pages where the system has them, which starts faster, and all\n"
            "processes share the memory; but nobody may change the file, not even its length, while the "
            "model\n"
            "is in use: that may end the process. Otherwise sessions read what they need into memory.")
        .def_static(
            "from_bytes", model_of_bytes, nb::arg("buffer"),
            nb::sig("def from_bytes(buffer: collections.abc.Buffer) -> Model"),
            "The same for a file's bytes in memory (bytes, memoryview, mmap, a numpy array), which are\n"
            "used in place and kept alive: nobody may change them. Must begin at a multiple of 8 bytes.")
        .def_static(
            "convert",
            [](const nb::object& source, const nb::object& destination, const nb::kwargs& options) {
                return nb::module_::import_("vgg19._surgery")
                    .attr("converted_model")(source, destination, **options);
            },
            nb::arg("source"), nb::arg("destination") = nb::none(), nb::arg("options"),
            nb::sig(
                "def convert(source: str | os.PathLike[str], destination: str | os.PathLike[str] | None = "
                "None, **options: typing.Any) -> Model"),
            "vgg19.convert() with the same options, and the model that it wrote. Without a destination the\n"
            "model is in memory.")
        .def("__reduce_ex__", reduced, nb::arg("protocol"))
        .def("__copy__", [](nb::handle self) { return nb::borrow(self); })
        .def(
            "__deepcopy__", [](nb::handle self, nb::handle /*memo*/) { return nb::borrow(self); },
            nb::arg("memo"))
        .def("__repr__", described);
    bind_facts(type);
}

}  // namespace vgg19::python

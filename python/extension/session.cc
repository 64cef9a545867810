#include "python/extension/session.h"

#include <nanobind/stl/string.h>

#include <algorithm>
#include <array>
#include <utility>

#include "python/extension/arguments.h"
#include "python/extension/interpreter.h"
#include "python/extension/interrupts.h"
#include "python/extension/model.h"
#include "python/extension/pictures.h"
#include "python/extension/results.h"
#include "vgg19/error.h"

namespace vgg19::python {

namespace {

Session made(const Model& model, const SessionOptions& options) {
    const Unlocked unlocked;
    return Session(model, options);
}

nb::object opened(const nb::object& model) {
    return nb::isinstance<PythonModel>(model) ? model : nb::type<PythonModel>().attr("open")(model);
}

std::string names_of(const std::vector<Output>& outputs) {
    std::string names;
    for (const Output& output : outputs) names += (names.empty() ? "" : ", ") + output.name;
    return names;
}

Shape shape_of(const Output& output, std::size_t batch) {
    Shape shape = output.shape;
    shape[0] = batch;
    return shape;
}

}  // namespace

/// One call's use of the session. Also forgets what cancel() asked of an earlier call.
class PythonSession::Turn {
  public:
    explicit Turn(PythonSession& session) : is_busy_(session.is_busy_) {
        if (is_busy_.exchange(true)) {
            throw Error(
                ErrorKind::usage,
                "the session is in use by another thread: expected one call at a time; make a session "
                "for each thread (and, after a fork during a call, for each process)");
        }
        session.cancelled_ = false;
    }
    ~Turn() { is_busy_ = false; }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

  private:
    std::atomic<bool>& is_busy_;
};

PythonSession::PythonSession(const nb::object& model, const SessionOptions& options,
                             std::shared_ptr<nb::object> log)
    : model_(opened(model)), log_(std::move(log)), session_(made(model_in(model_, "model").model, options)) {
    remember_shape();
}

PyType_Slot* PythonSession::collection_slots() {
    static std::array<PyType_Slot, 3> slots = {{{Py_tp_traverse, reinterpret_cast<void*>(traverse)},
                                                {Py_tp_clear, reinterpret_cast<void*>(clear)},
                                                {0, nullptr}}};
    return slots.data();
}

int PythonSession::traverse(PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    if (!nb::inst_ready(self)) return 0;
    const auto* const session = nb::inst_ptr<PythonSession>(self);
    Py_VISIT(session->model_.ptr());
    Py_VISIT(session->log_->ptr());
    return 0;
}

int PythonSession::clear(PyObject* self) {
    if (nb::inst_ready(self)) nb::inst_ptr<PythonSession>(self)->log_->reset();
    return 0;
}

void PythonSession::remember_shape() {
    outputs_ = session_.outputs();
    input_size_ = session_.input_size();
    batch_ = session_.batch();
    record_bytes_ = session_.record_bytes();
    threads_ = session_.threads();
}

Shape PythonSession::input_shape() const {
    return {batch_, 3, input_size_.height, input_size_.width};
}

std::size_t PythonSession::index_of(const std::string& name) const {
    const auto found = std::find_if(outputs_.begin(), outputs_.end(),
                                    [&](const Output& output) { return output.name == name; });
    if (found != outputs_.end()) return static_cast<std::size_t>(found - outputs_.begin());
    throw Error(ErrorKind::usage,
                "expected names of the session's outputs, " + names_of(outputs_) + ", found '" + name + "'");
}

std::vector<nb::object> PythonSession::arrays_for(nb::handle out, std::size_t batch) const {
    std::vector<nb::object> arrays(outputs_.size());
    if (nb::isinstance<nb::dict>(out)) {
        for (const auto& [name, array] : nb::borrow<nb::dict>(out)) {
            arrays[index_of(argument<std::string>(name, "a name in out"))] = nb::borrow(array);
        }
    } else if (!out.is_none()) {
        if (outputs_.size() != 1) {
            throw Error(ErrorKind::usage, "out: expected a dict of arrays, one for each of " +
                                              names_of(outputs_) + ", found one object");
        }
        arrays[0] = nb::borrow(out);
    }
    for (std::size_t i = 0; i < arrays.size(); ++i) {
        if (!arrays[i].is_valid()) arrays[i] = new_array(shape_of(outputs_[i], batch));
    }
    return arrays;
}

nb::object PythonSession::result(const std::vector<nb::object>& arrays) const {
    if (arrays.size() == 1) return arrays[0];
    nb::dict results;
    for (std::size_t i = 0; i < arrays.size(); ++i) results[text(outputs_[i].name)] = arrays[i];
    return results;
}

void PythonSession::compute(std::span<const float> input, const std::vector<std::span<float>>& outputs) {
    Interrupts interrupts(&cancelled_);
    const Unlocked unlocked;
    session_.run(input, outputs, {.is_cancelled = [&] { return interrupts.is_cancelled(); }});
}

nb::object PythonSession::run(nb::handle input, nb::handle out) {
    const Turn turn(*this);
    const FloatsToRead from = floats_to_read(input, "input", input_shape());
    const std::vector<nb::object> arrays = arrays_for(out, batch_);
    std::vector<FloatsToWrite> targets;
    std::vector<std::span<float>> spans;
    std::vector<std::span<const float>> all = {from.values};
    for (std::size_t i = 0; i < arrays.size(); ++i) {
        targets.push_back(floats_to_write(arrays[i], outputs_[i].name, outputs_[i].shape));
        spans.push_back(targets.back().values);
        all.emplace_back(spans.back());
    }
    require_apart(all, "input and outputs");
    compute(from.values, spans);
    return result(arrays);
}

nb::object PythonSession::backward(nb::handle gradients, nb::handle out) {
    const Turn turn(*this);
    std::vector<FloatsToRead> given(outputs_.size());
    const auto give = [&](std::size_t index, nb::handle array) {
        const Output& output = outputs_[index];
        if (!array.is_none()) {
            given[index] = floats_to_read(array, "the gradient of " + output.name, output.shape);
        }
    };
    if (nb::isinstance<nb::dict>(gradients)) {
        for (const auto& [name, array] : nb::borrow<nb::dict>(gradients)) {
            give(index_of(argument<std::string>(name, "a name in gradients")), array);
        }
    } else if (outputs_.size() == 1) {
        give(0, gradients);
    } else {
        throw Error(ErrorKind::usage, "gradients: expected a dict of arrays, for some of " +
                                          names_of(outputs_) + ", found one object");
    }
    std::vector<std::span<const float>> from;
    from.reserve(given.size());
    for (const FloatsToRead& floats : given) from.push_back(floats.values);
    nb::object gradient = out.is_none() ? new_array(input_shape()) : nb::borrow(out);
    const FloatsToWrite to = floats_to_write(gradient, "the input's gradient", input_shape());
    std::vector<std::span<const float>> all = from;
    all.emplace_back(to.values);
    require_apart(all, "gradients");
    {
        Interrupts interrupts(&cancelled_);
        const Unlocked unlocked;
        session_.backward(from, to.values, {.is_cancelled = [&] { return interrupts.is_cancelled(); }});
    }
    return gradient;
}

nb::object PythonSession::copy_record(nb::handle out) {
    const Turn turn(*this);
    const BytesToWrite to = bytes_to_write(out, "out", record_bytes_);
    {
        const Unlocked unlocked;
        session_.copy_record(to.values);
    }
    return nb::borrow(out);
}

void PythonSession::set_record(nb::handle record) {
    const Turn turn(*this);
    const BytesToRead from = bytes_to_read(record, "record", record_bytes_);
    const Unlocked unlocked;
    session_.set_record(from.values);
}

void PythonSession::reshape(nb::handle size, std::size_t batch) {
    const Turn turn(*this);
    const MapSize sides = size_of(size);
    {
        const Unlocked unlocked;
        session_.reshape(sides.empty() ? session_.model().preprocessing().input_size : sides, batch);
    }
    remember_shape();
}

void PythonSession::preprocess_into(nb::handle picture, std::span<float> input) const {
    const Picture read = Picture::of(picture, input_size_);
    const Unlocked unlocked;
    session_.preprocess(read.view(), input);
}

nb::object PythonSession::preprocess(nb::handle picture, nb::handle out) {
    const Turn turn(*this);
    const Shape shape = {3, input_size_.height, input_size_.width};
    nb::object array = out.is_none() ? new_array(shape) : nb::borrow(out);
    const FloatsToWrite to = floats_to_write(array, "out", shape);
    preprocess_into(picture, to.values);
    return array;
}

std::vector<Prediction> PythonSession::predictions_of(const ImageView& picture, std::size_t top) {
    // The library's function for every case cannot be interrupted.
    const bool is_usual = outputs_.size() == 1 && outputs_[0].name == "logits" && batch_ == 1;
    if (!is_usual) {
        const Unlocked unlocked;
        return session_.classify(picture, top);
    }
    std::vector<float> input(3 * input_size_.pixels());
    std::vector<float> logits(outputs_[0].size());
    {
        const Unlocked unlocked;
        session_.preprocess(picture, input);
    }
    compute(input, {logits});
    return session_.predictions(logits, top);
}

std::size_t PythonSession::top_of(nb::handle top) const {
    constexpr std::size_t usual = 5;
    return top.is_none() ? std::min(usual, session_.model().classes()) : argument<std::size_t>(top, "top");
}

nb::object PythonSession::classify(nb::handle picture, nb::handle top) {
    const Turn turn(*this);
    const std::size_t count = top_of(top);
    const Picture read = Picture::of(picture, input_size_);
    return to_python(predictions_of(read.view(), count));
}

nb::object PythonSession::predictions(nb::handle logits, nb::handle top) {
    const Turn turn(*this);
    const FloatsToRead given = floats_to_read(logits, "logits", {session_.model().classes()});
    return to_python(session_.predictions(given.values, top_of(top)));
}

nb::object PythonSession::features(const nb::args& pictures) {
    const Turn turn(*this);
    const std::size_t count = pictures.size();
    const std::size_t floats = 3 * input_size_.pixels();
    const std::vector<nb::object> arrays = arrays_for(nb::none(), count);
    std::vector<std::span<float>> all;
    for (std::size_t i = 0; i < arrays.size(); ++i) {
        all.push_back(floats_to_write(arrays[i], outputs_[i].name, shape_of(outputs_[i], count)).values);
    }
    std::vector<float> input(batch_ * floats);
    std::vector<std::vector<float>> incomplete(outputs_.size());
    for (std::size_t begin = 0; begin < count; begin += batch_) {
        const std::size_t pictures_now = std::min(batch_, count - begin);
        for (std::size_t i = 0; i < pictures_now; ++i) {
            preprocess_into(pictures[begin + i], std::span(input).subspan(i * floats, floats));
        }
        std::vector<std::span<float>> results;
        for (std::size_t i = 0; i < all.size(); ++i) {
            const std::size_t one = outputs_[i].size() / batch_;
            if (pictures_now == batch_) {
                results.push_back(all[i].subspan(begin * one, batch_ * one));
            } else {
                incomplete[i].resize(batch_ * one);
                results.emplace_back(incomplete[i]);
            }
        }
        compute(input, results);
        if (pictures_now == batch_) continue;
        for (std::size_t i = 0; i < all.size(); ++i) {
            const std::size_t one = outputs_[i].size() / batch_;
            std::copy_n(results[i].data(), pictures_now * one, all[i].data() + begin * one);
        }
    }
    return result(arrays);
}

nb::object PythonSession::plan() {
    const Turn turn(*this);
    return to_python(session_.plan());
}

}  // namespace vgg19::python

// vgg19.Session
#pragma once

#include <nanobind/nanobind.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "python/extension/arrays.h"
#include "vgg19/session.h"

namespace vgg19::python {

namespace nb = nanobind;

/// A session whose calls release the interpreter's lock while they compute. A call during another one is an
/// Error (usage).
class PythonSession {
  public:
    /// `model`: a vgg19.Model, which it keeps, or the path of one. `log`: the function that the options' log
    /// calls, or an invalid object.
    PythonSession(const nb::object& model, const SessionOptions& options, std::shared_ptr<nb::object> log);

    /// For Python's collector of cycles, such as a log function that holds its session.
    static PyType_Slot* collection_slots();

    nb::object run(nb::handle input, nb::handle out);
    nb::object backward(nb::handle gradients, nb::handle out);
    void reshape(nb::handle size, std::size_t batch);
    nb::object copy_record(nb::handle out);
    void set_record(nb::handle record);
    nb::object classify(nb::handle picture, nb::handle top);
    nb::object predictions(nb::handle logits, nb::handle top);
    nb::object preprocess(nb::handle picture, nb::handle out);
    nb::object features(const nb::args& pictures);
    /// Ends the call that is in progress.
    void cancel() { cancelled_ = true; }

    bool is_in_use() const { return is_busy_; }

    const nb::object& model() const { return model_; }
    nb::object plan();
    /// As they were when no call was in progress, so that they can be asked for at any time.
    const std::vector<Output>& outputs() const { return outputs_; }
    MapSize input_size() const { return input_size_; }
    std::size_t batch() const { return batch_; }
    std::size_t record_bytes() const { return record_bytes_; }
    int threads() const { return threads_; }

  private:
    class Turn;
    void remember_shape();
    Shape input_shape() const;
    std::size_t index_of(const std::string& name) const;
    /// For each output: the caller's array in `out`, or a new one.
    std::vector<nb::object> arrays_for(nb::handle out, std::size_t batch) const;
    void compute(std::span<const float> input, const std::vector<std::span<float>>& outputs);
    void preprocess_into(nb::handle picture, std::span<float> input) const;
    std::size_t top_of(nb::handle top) const;
    std::vector<Prediction> predictions_of(const ImageView& picture, std::size_t top);
    nb::object result(const std::vector<nb::object>& arrays) const;

    static int traverse(PyObject* self, visitproc visit, void* arg);
    static int clear(PyObject* self);

    nb::object model_;
    std::shared_ptr<nb::object> log_;
    Session session_;
    std::vector<Output> outputs_;
    MapSize input_size_;
    std::size_t batch_ = 0;
    std::size_t record_bytes_ = 0;
    int threads_ = 0;
    std::atomic<bool> is_busy_ = false;
    std::atomic<bool> cancelled_ = false;
};

void bind_session(nb::module_& module);

}  // namespace vgg19::python

#include "vgg19/session.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <exception>
#include <functional>
#include <new>
#include <numeric>
#include <utility>

#include "engine/guarded.h"
#include "engine/image/preprocess.h"
#include "engine/labels/labels.h"
#include "engine/model/model_access.h"
#include "engine/program/plan.h"
#include "engine/program/plan_notes.h"
#include "engine/program/program.h"
#include "engine/program/record.h"
#include "engine/require_length.h"
#include "kernels/common/blocked_layout.h"
#include "kernels/common/callers_threads.h"
#include "kernels/common/parallel.h"
#include "kernels/softmax/softmax.h"
#include "vgg19/error.h"

namespace vgg19 {

namespace {

/// Whether a value is infinite or NaN: all bits of its exponent are set then.
bool is_finite(float value) {
    constexpr std::uint32_t exponent = 0x7F800000U;
    return (std::bit_cast<std::uint32_t>(value) & exponent) != exponent;
}

void require_finite(const char* what, const std::string& of, std::span<const float> values, int threads) {
    constexpr std::size_t part = std::size_t{1} << 16U;
    std::atomic<bool> finite = true;
    kernels::parallel_for(threads, kernels::blocks_of(values.size(), part), [&](std::size_t index) {
        const std::size_t begin = index * part;
        bool all = true;  // without an early exit the loop can be vectorised
        for (const float value : values.subspan(begin, std::min(part, values.size() - begin))) {
            all &= is_finite(value);
        }
        if (!all) finite = false;
    });
    if (finite) return;
    const auto found = std::find_if_not(values.begin(), values.end(), is_finite);
    throw Error(ErrorKind::bad_input, what + of + ": expected finite values, found " +
                                          std::to_string(*found) + " at index " +
                                          std::to_string(found - values.begin()));
}

/// Refuses a call while another one is using the session: from another thread, or from a caller's function.
class Turn {
  public:
    explicit Turn(std::atomic<bool>& is_busy) : is_busy_(is_busy) {
        if (!is_busy_.exchange(true)) return;
        throw Error(ErrorKind::usage,
                    "the session is in use: expected one call at a time; make a session for each thread");
    }
    ~Turn() { is_busy_ = false; }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

  private:
    std::atomic<bool>& is_busy_;
};

/// The plan's, with their shapes for its batch.
std::vector<Output> described_outputs(const Plan& plan) {
    std::vector<Output> outputs;
    for (const PlanOutput& output : plan.outputs) {
        const auto [channels, size] = output.shape;
        std::vector<std::size_t> shape = {plan.execution.batch, channels};
        if (model::is_map(output.value.kind) || output.value.kind == model::OutputKind::average_pool) {
            shape.insert(shape.end(), {size.height, size.width});
        }
        outputs.push_back({output.name, std::move(shape)});
    }
    return outputs;
}

}  // namespace

struct Session::State {
    State(Model session_model, const SessionOptions& options)
        : model(std::move(session_model)),
          program(model::file_of(model), make_plan(model::file_of(model), options)),
          softmax(kernels::select(kernels::softmax_kernels(), program.plan().execution.isa)),
          parallel_for(options.parallel_for),
          log(options.log),
          outputs(described_outputs(program.plan())),
          results(outputs.size()) {
        if (!log) return;
        tell(log, surprises(program.plan(), options));
        tell(log, decisions("planned", program.plan(), program.reports()));
    }

    std::size_t image_floats() const { return model::image_channels * program.plan().input_size.pixels(); }

    /// Where the classifier's values before the softmax are given, or Error (usage).
    std::size_t logits_output() const {
        const std::vector<PlanOutput>& planned = program.plan().outputs;
        const std::size_t last = model::file_of(model).network().dense_layers().size() - 1;
        for (std::size_t i = 0; i < planned.size(); ++i) {
            if (planned[i].is(model::OutputKind::dense, last)) return i;
        }
        throw Error(ErrorKind::usage,
                    "classify: expected a session with the output \"logits\", found " + output_names());
    }

    std::string output_names() const {
        std::string names;
        for (const Output& output : outputs) names += (names.empty() ? "" : ", ") + output.name;
        return names;
    }

    void run(std::span<const float> input, const RunOptions& options) {
        if (!options.seconds.empty()) {
            require_length("seconds", program.plan().steps.size(), options.seconds.size());
        }
        require_finite("input", "", input, program.plan().execution.threads);
        has_run = false;
        program.run(input.data(), results, options);
        weights_file().require_unchanged();
        has_run = true;
    }

    /// What keeps runs for backward(), or Error (usage).
    Backward& backward(const char* call) {
        if (Backward* backward = program.backward_state()) return *backward;
        throw Error(ErrorKind::usage,
                    std::string(call) +
                        ": expected a session made with SessionOptions::gradients, found one without");
    }
    void require_run(const char* call) const {
        if (has_run) return;
        throw Error(ErrorKind::usage,
                    std::string(call) + ": expected a session that has run, found none that is complete");
    }

    const model::MappedFile& weights_file() const { return model::file_of(model).file().mapping(); }

    /// One span for each output.
    void require_outputs(const char* what, std::size_t found) const {
        if (found == outputs.size()) return;
        throw Error(ErrorKind::usage, std::string(what) + ": expected " + std::to_string(outputs.size()) +
                                          " (" + output_names() + "), found " + std::to_string(found));
    }

    Model model;
    Program program;
    kernels::Kernel<kernels::SoftmaxFunction> softmax;
    ParallelFor parallel_for;
    Log log;
    std::vector<Output> outputs;
    std::vector<float*> results;  ///< of the run that is in progress
    bool has_run = false;         ///< completely, for this shape
    std::atomic<bool> is_busy = false;
};

Session::Session(const Model& model, const SessionOptions& options) {
    guarded(options.parallel_for, [&] {
        const model::MappedFile& file = model::file_of(model).file().mapping();
        model::reading(file, [&] { state_ = std::make_unique<State>(model, options); });
        file.require_unchanged();
    });
}

Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

void Session::run(std::span<const float> input_nchw, std::span<float> logits) {
    run(input_nchw, logits, {});
}

void Session::run(std::span<const float> input_nchw, std::span<float> logits, std::span<double> seconds) {
    run(input_nchw, std::span<const std::span<float>>(&logits, 1), {.seconds = seconds});
}

void Session::run(std::span<const float> input_nchw, std::span<const std::span<float>> outputs,
                  const RunOptions& options) {
    const Turn turn(state_->is_busy);
    require_length("input", batch() * state_->image_floats(), input_nchw.size());
    state_->require_outputs("outputs", outputs.size());
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        require_length(state_->outputs[i].name.c_str(), state_->outputs[i].size(), outputs[i].size());
        state_->results[i] = outputs[i].data();
    }
    guarded(state_->parallel_for, [&] { state_->run(input_nchw, options); });
}

std::vector<Prediction> Session::classify(const ImageView& image, std::size_t top) {
    if (batch() != 1) {
        throw Error(ErrorKind::usage,
                    "classify: expected a session of batch 1, found batch " + std::to_string(batch()));
    }
    model::file_of(model()).require_classifier();
    const std::size_t logits = state_->logits_output();
    std::vector<float> input(state_->image_floats());
    std::vector<std::vector<float>> values;
    std::vector<std::span<float>> results;
    for (const Output& output : outputs()) results.emplace_back(values.emplace_back(output.size()));
    preprocess(image, input);
    run(input, results);
    return predictions(results[logits], top);
}

void Session::preprocess(const ImageView& image, std::span<float> input_nchw) const {
    require_length("input", state_->image_floats(), input_nchw.size());
    vgg19::preprocess(image, model().preprocessing(), input_size(), input_nchw);
}

std::vector<Prediction> Session::predictions(std::span<const float> logits, std::size_t top) const {
    model::file_of(model()).require_classifier();
    require_length("logits", model().classes(), logits.size());
    if (top == 0 || top > logits.size()) {
        throw Error(ErrorKind::usage,
                    "top: expected 1 to " + std::to_string(logits.size()) + ", found " + std::to_string(top));
    }
    require_finite("logits", "", logits, 1);
    std::vector<float> probabilities(logits.size());
    std::vector<std::size_t> indices(top);
    state_->softmax.run(logits.data(), logits.size(), probabilities.data());
    kernels::top_k(logits.data(), logits.size(), top, indices.data());

    const std::vector<std::string>& names = model().class_names();
    const bool is_imagenet = names.empty() && logits.size() == imagenet_classes().size();
    std::vector<Prediction> predictions;
    for (const std::size_t index : indices) {
        Prediction prediction{.class_index = index, .probability = probabilities[index]};
        if (is_imagenet) {
            prediction.synset = imagenet_classes()[index].synset;
            prediction.label = imagenet_classes()[index].label;
        } else if (!names.empty()) {
            prediction.label = names[index];
        }
        predictions.push_back(prediction);
    }
    return predictions;
}

std::size_t Output::size() const {
    return std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>());
}
const std::vector<Output>& Session::outputs() const {
    return state_->outputs;
}
void Session::backward(std::span<const std::span<const float>> output_gradients,
                       std::span<float> input_gradient, const RunOptions& options) {
    const Turn turn(state_->is_busy);
    state_->backward("backward");
    state_->require_run("backward");
    state_->require_outputs("output gradients", output_gradients.size());
    for (std::size_t i = 0; i < output_gradients.size(); ++i) {
        if (output_gradients[i].empty()) continue;
        const Output& output = state_->outputs[i];
        if (output_gradients[i].size() == output.size()) continue;
        require_length(("gradient of " + output.name).c_str(), output.size(), output_gradients[i].size());
    }
    require_length("input gradient", batch() * state_->image_floats(), input_gradient.size());
    if (!options.seconds.empty()) require_length("seconds", plan().size(), options.seconds.size());
    guarded(state_->parallel_for, [&] {
        for (std::size_t i = 0; i < output_gradients.size(); ++i) {
            if (output_gradients[i].empty()) continue;
            require_finite("gradient of ", state_->outputs[i].name, output_gradients[i], threads());
        }
        state_->program.backward(output_gradients, input_gradient.data(), options);
        state_->weights_file().require_unchanged();
    });
}
std::size_t Session::record_bytes() const {
    const Backward* const backward = state_->program.backward_state();
    return backward == nullptr ? 0 : vgg19::record_bytes(*backward);
}
void Session::copy_record(std::span<std::byte> record) const {
    const Turn turn(state_->is_busy);
    const Backward& backward = state_->backward("copy_record");
    state_->require_run("copy_record");
    require_length("record", vgg19::record_bytes(backward), record.size());
    vgg19::copy_record(backward, record);
}
void Session::set_record(std::span<const std::byte> record) {
    const Turn turn(state_->is_busy);
    Backward& backward = state_->backward("set_record");
    require_length("record", vgg19::record_bytes(backward), record.size());
    vgg19::set_record(backward, record);
    state_->has_run = true;
}
void Session::reshape(MapSize input_size, std::size_t batch) {
    const Turn turn(state_->is_busy);
    guarded(state_->parallel_for, [&] {
        const model::ModelFile& file = model::file_of(state_->model);
        Program& program = state_->program;
        Plan plan = reshaped(program.plan(), file, input_size, batch);
        std::vector<Output> outputs = described_outputs(plan);
        const auto before_change = [&](const Plan& next, const std::vector<PlanStep>& reports) {
            kernels::CallersThreads::rethrow();
            file.file().mapping().require_unchanged();
            if (state_->log) tell(state_->log, decisions("planned again", next, reports));
        };
        model::reading(file.file().mapping(), [&] { program.reshape(file, std::move(plan), before_change); });
        state_->has_run = false;
        state_->outputs = std::move(outputs);
    });
}
const std::vector<PlanStep>& Session::plan() const {
    return state_->program.reports();
}
const Model& Session::model() const {
    return state_->model;
}
int Session::threads() const {
    return state_->program.plan().execution.threads;
}
MapSize Session::input_size() const {
    return state_->program.plan().input_size;
}
std::size_t Session::batch() const {
    return state_->program.plan().execution.batch;
}

}  // namespace vgg19

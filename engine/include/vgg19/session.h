// A session: a model ready to run, at one input size at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vgg19/image.h"
#include "vgg19/map_size.h"
#include "vgg19/model.h"

#pragma GCC visibility push(default)  // what the shared library exports

namespace vgg19 {

/// A caller's parallel loop: calls `call(index)` once for each index in [0, count), on any threads, and
/// returns when all these calls have returned. `call` does not throw. The work is shared out among the calls
/// that run at the time, so they may also run one after another; one that comes a second time does nothing.
using ParallelFor =
    std::function<void(std::size_t count, const std::function<void(std::size_t index)>& call)>;

enum class LogLevel : unsigned char {
    detail,       ///< what runs each layer
    information,  ///< what was planned, for which CPU
    warning,      ///< something that the caller may not expect, such as an ISA that the environment forces
};

/// Takes one line of text, without its end.
using Log = std::function<void(LogLevel level, std::string_view message)>;

/// Exceptions of the caller's functions (parallel_for, workspace, log, RunOptions::is_cancelled) leave the
/// call during which they were thrown, as they are. The session can run again.
struct SessionOptions {
    int threads = 0;  ///< 0 means as many as this process has CPUs
    /// Of the input in pixels: 32 to 8192, or from 16 if all outputs are maps that have a pixel then. If both
    /// are 0: the model's own size.
    std::size_t input_height = 0;
    std::size_t input_width = 0;
    std::size_t batch = 1;  ///< images per run
    std::string isa{};  ///< "portable", "avx2", …; "" means the value of VGG19_ISA, else the best that this
                        ///< CPU supports
    /// "auto" or "": the planner chooses among our kernels for each layer. "winograd": our Winograd kernels,
    /// except for INT8 layers without scales for them. "direct": our direct kernels, for INT8 (the FP32 ones
    /// are plain C++ loops, and slow). "onednn": oneDNN's, for every FP32 layer that it supports; an error in
    /// a build without it.
    std::string convolution{};
    /// A file of `vgg19 tune` with this CPU's measured constants, by which algorithms and schedules are
    /// chosen. "": those that are known of CPUs of its kind. Since algorithms differ in a result's last bits,
    /// the library looks for no such file by itself.
    std::string plan_file{};

    /// What a run computes, by names: torchvision's ("features.28", "classifier.4"), or the literature's:
    /// "conv5_1" (before its ReLU), "relu5_1", "pool5", "fc6" (before its ReLU), "relu6", "fc7", "relu7",
    /// "logits", "probabilities". Layers behind the last one are neither run nor packed. Empty: "logits", or
    /// the last map of a model without a classifier. An unknown name is an error that lists the names.
    std::vector<std::string> outputs{};
    /// Whether backward() can be called: each run also keeps what the gradient needs. Only for FP32 models.
    bool gradients = false;
    /// Of the 2×2 pools between convolutions; none means the model's own.
    std::optional<Pooling> pooling{};

    /// Runs the session's loops, instead of the library's pool, which then starts no thread. `count` is at
    /// most `threads`. A run has two or three loops for each layer, which take from microseconds on. Not
    /// called from within itself. Not with convolution = "onednn": oneDNN has threads of its own.
    ParallelFor parallel_for{};
    /// Where the memory of runs comes from: activations, scratch memory and what backward() needs, but not
    /// packed weights. Must outlive the session. Used only while a session is made, reshaped or destroyed, on
    /// the calling thread. Null: the library's own.
    std::pmr::memory_resource* workspace = nullptr;
    /// Told what the library decides and what the caller may not expect, while a session is made or reshaped,
    /// on the calling thread. The library itself prints nothing.
    Log log{};

    MapSize input_size() const { return {input_height, input_width}; }
    void set_input_size(MapSize size) {
        input_height = size.height;
        input_width = size.width;
    }
};

struct Prediction {
    std::size_t class_index = 0;
    float probability = 0;
    /// The WordNet id, such as "n02123045"; "" for a model with its own class names, or without ImageNet's
    /// 1000 classes.
    std::string_view synset;
    /// Such as "tabby": the model's own name for the class, else ImageNet's, else "". Valid as long as the
    /// model.
    std::string_view label;
};

enum class StepKind : unsigned char {
    convolution,   ///< with bias and ReLU and, if supported, the max-pool and the quantization that follow
    max_pool,      ///< 2×2, stride 2
    quantization,  ///< from floats to the next layer's 8-bit input
    average_pool,  ///< adaptive, to the map of the first dense layer
    flatten,       ///< replaces the average pool if that is folded into the first dense layer's weights
    dense,
    output,            ///< writes an output in the plain layout, of what the step before gave
    relu,              ///< of a layer whose values before the ReLU are an output
    average_pool_2x2,  ///< stride 2: in place of max_pool (SessionOptions::pooling)
    softmax,
};

/// The arithmetic of a step's multiplications.
enum class Arithmetic : unsigned char { fp32, int8 };

/// One step of a plan, for reports.
struct PlanStep {
    StepKind kind{};
    Arithmetic arithmetic{};
    std::string layer;       ///< "features.0", "pool after features.2", "classifier.6"
    std::string kernel;      ///< "conv_onednn_avx512", "dense_int8_avx512vnni"
    std::uint64_t macs = 0;  ///< for one image; 0 if nothing is multiplied
    /// Multiplications and additions that one run of the batch executes. Dense layers that skip zero inputs
    /// execute fewer, and read fewer weights than weight_bytes.
    std::uint64_t operations = 0;
    std::uint64_t weight_bytes = 0;      ///< read by one run
    std::uint64_t activation_bytes = 0;  ///< read and written by one run of the batch
};

/// A result of a session: FP32, in the plain layout, row by row.
struct Output {
    std::string name;  ///< as it was asked for
    /// (batch, channels, height, width) of maps and of "avgpool", (batch, values) of the rest.
    std::vector<std::size_t> shape;
    std::size_t size() const;  ///< the product: the number of floats
};

/// What a call of Session::run() may want beside its results.
struct RunOptions {
    /// Empty, or one element per step of plan(): set to the time of each.
    std::span<double> seconds{};
    /// Called on the calling thread before each step; the run ends with Error (cancelled) once it returns
    /// true. Results are then incomplete; the session can run again.
    std::function<bool()> is_cancelled{};
};

/// Holds packed weights and all memory for runs. Not thread-safe: use one session per thread; a call during
/// another one, also from a caller's function, throws Error (usage). Results are
/// bitwise identical for every number of threads, and whatever other outputs are asked for.
///
/// Subnormal numbers (floats below 1.2e-38) are zeros: in weights, biases and inputs, and where a result
/// would be one. Sessions round to nearest and trap nothing; afterwards the calling thread has its own
/// floating-point mode again.
///
/// All sessions of a process without a parallel_for share the threads of one pool, which are started when
/// first needed and sleep when idle. After fork() the child starts its own.
class Session {
  public:
    /// Throws Error: usage for invalid options, such as an ISA that this CPU lacks.
    explicit Session(const Model& model, const SessionOptions& options = {});
    Session(Session&&) noexcept;
    Session& operator=(Session&&) noexcept;
    ~Session();

    /// (batch, 3, height, width) normalised floats, of input_size(), → the session's only output, such as
    /// (batch, classes) logits. Throws Error (usage) if a span has the wrong length or the session has more
    /// outputs, (bad_input) if a value is not finite. Our own code allocates nothing here.
    void run(std::span<const float> input_nchw, std::span<float> logits);

    /// The results of a run, in the order of SessionOptions::outputs.
    const std::vector<Output>& outputs() const;
    /// (batch, 3, height, width) normalised floats → outputs[i], of outputs()[i].size() floats, which must
    /// not overlap. Errors as above, and (cancelled).
    void run(std::span<const float> input_nchw, std::span<const std::span<float>> outputs,
             const RunOptions& options = {});
    /// The gradient of a scalar with respect to the input of the last run, from those with respect to its
    /// outputs: output_gradients[i] has the shape of outputs()[i], or is empty where the scalar does not
    /// depend on it. Weights are constants. Ties of a max-pool and the ReLU at 0 are treated as in PyTorch.
    /// Where a value is so near to a tie that rounding decides, another order of summation may decide
    /// otherwise: on large pictures gradients of two implementations differ by about 1e-3 (relative L2),
    /// though most values by 1e-5 (docs/kernels.md). The last run's input and outputs need not exist any
    /// more. options.seconds receives the time of each step's gradient. Throws Error (usage) if the session
    /// was made without SessionOptions::gradients, or has not run, (bad_input) if a value is not finite, and
    /// (cancelled). Our own code allocates nothing here.
    void backward(std::span<const std::span<const float>> output_gradients, std::span<float> input_gradient,
                  const RunOptions& options = {});

    /// What a run keeps for backward(), so that other inputs can run before it: copy it after the run, and
    /// set it before backward(), which then is of that run. Of a VGG-19 about 45 bytes for each pixel of each
    /// image. A record belongs to sessions of the same model and options on the same CPU, at the same shape.
    /// Its bytes are of this machine: not a format for files. record_bytes() is 0 for a session made
    /// without SessionOptions::gradients. There the others throw Error (usage), as for a wrong length, and
    /// copy_record() for a session that has not run; set_record() throws (bad_input) for bytes that are no
    /// record of this session's kind and shape. Our own code allocates nothing here.
    std::size_t record_bytes() const;
    void copy_record(std::span<std::byte> record) const;
    void set_record(std::span<const std::byte> record);

    /// Plans the session for another shape, with the weights that are packed: each layer keeps its algorithm,
    /// so that results may differ in their last bits from those of a session made for this shape. (oneDNN's
    /// convolutions are made anew.) outputs(), plan(), input_size() and batch() change. Throws Error (usage)
    /// for a shape that is too small for an output; with any exception, the session stays as it was.
    void reshape(MapSize input_size, std::size_t batch = 1);

    /// Also measures time: seconds[i] is set to the time of plan()[i].
    void run(std::span<const float> input_nchw, std::span<float> logits, std::span<double> seconds);

    /// Preprocesses one image, runs it, and returns the `top` most probable classes, the most probable first.
    /// Only for sessions with a batch of 1.
    std::vector<Prediction> classify(const ImageView& image, std::size_t top = 5);

    /// Preprocesses one image into (3, height, width) floats, as the model requires.
    void preprocess(const ImageView& image, std::span<float> input_nchw) const;

    /// Softmax probabilities of one image's logits, the `top` highest first; equal ones in order of class
    /// index.
    std::vector<Prediction> predictions(std::span<const float> logits, std::size_t top) const;

    const std::vector<PlanStep>& plan() const;
    const Model& model() const;
    int threads() const;
    MapSize input_size() const;
    std::size_t batch() const;

  private:
    struct [[gnu::visibility("hidden")]] State;
    std::unique_ptr<State> state_;
};

}  // namespace vgg19

#pragma GCC visibility pop

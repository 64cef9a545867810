// A session: a model ready to run at one size of its input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vgg19/image.h"
#include "vgg19/map_size.h"
#include "vgg19/model.h"

namespace vgg19 {

struct SessionOptions {
    int threads = 0;  ///< 0: as many as the CPUs that this process may use
    /// Of the input, in pixels: 32 to 8192. Both 0: the model's own size.
    std::size_t input_height = 0;
    std::size_t input_width = 0;
    std::size_t batch = 1;  ///< images a run
    std::string isa{};  ///< "portable", "avx2", …; "": what VGG19_ISA says, else the best that this CPU has
    /// "auto" or "": the planner chooses for each layer. "winograd": our Winograd kernels, but for INT8
    /// layers that have no scales for them. "direct": our direct kernels, which are for INT8 (those for FP32
    /// are the definition in plain C++, and slow). "onednn": oneDNN's, for every FP32 layer that it supports;
    /// an error in a build without it.
    std::string convolution{};

    MapSize input_size() const { return {input_height, input_width}; }
    void set_input_size(MapSize size) {
        input_height = size.height;
        input_width = size.width;
    }
};

struct Prediction {
    std::size_t class_index = 0;
    float probability = 0;
    /// WordNet's id, such as "n02123045"; "" for a model that has class names of its own, or other than
    /// ImageNet's 1000 classes.
    std::string_view synset;
    /// Such as "tabby": the model's own name of the class, else ImageNet's, else "". Valid as long as the
    /// model.
    std::string_view label;
};

enum class StepKind : unsigned char {
    convolution,   ///< with bias and ReLU, and the max-pool and the quantisation that follow where it can
    max_pool,      ///< 2×2, stride 2
    quantization,  ///< from floats to the 8 bits that the next layer reads
    average_pool,  ///< adaptive, to the map of the first dense layer
    flatten,       ///< in place of the average pool, where that is part of the first dense layer's weights
    dense,
};

/// What a step multiplies in.
enum class Arithmetic : unsigned char { fp32, int8 };

/// One step of a plan, for reports.
struct PlanStep {
    StepKind kind{};
    Arithmetic arithmetic{};
    std::string layer;       ///< "features.0", "pool after features.2", "classifier.6"
    std::string kernel;      ///< "conv_onednn_avx512", "dense_int8_avx512vnni"
    std::uint64_t macs = 0;  ///< for one image; 0 where nothing is multiplied
    /// Products and sums that one run of the batch really executes; a dense layer that leaves out zero inputs
    /// executes fewer than this, and reads fewer weights than weight_bytes.
    std::uint64_t operations = 0;
    std::uint64_t weight_bytes = 0;      ///< that one run reads
    std::uint64_t activation_bytes = 0;  ///< that one run of the batch reads and writes
};

/// Holds packed weights and all the memory that runs need. Use one per thread of yours: a session runs one
/// input at a time. Results are bitwise the same for every thread count.
class Session {
  public:
    /// Throws Error: usage for options that cannot be, such as an ISA that this CPU lacks.
    explicit Session(const Model& model, const SessionOptions& options = {});
    Session(Session&&) noexcept;
    Session& operator=(Session&&) noexcept;
    ~Session();

    /// (batch, 3, height, width) normalised floats, of input_size(), → (batch, classes) logits. Throws Error
    /// (usage) when a span has another length, (bad_input) when a value is not finite. Our own code allocates
    /// nothing here.
    void run(std::span<const float> input_nchw, std::span<float> logits);

    /// The same; seconds[i] becomes the time of plan()[i].
    void run(std::span<const float> input_nchw, std::span<float> logits, std::span<double> seconds);

    /// Preprocesses one image, runs it, and gives the `top` most probable classes, the most probable first.
    /// For sessions whose batch is 1.
    std::vector<Prediction> classify(const ImageView& image, std::size_t top = 5);

    /// Preprocesses one image into (3, height, width) floats, as the model wants it.
    void preprocess(const ImageView& image, std::span<float> input_nchw) const;

    /// Probabilities (softmax) of one image's logits, the `top` highest first; equal ones by class index.
    std::vector<Prediction> predictions(std::span<const float> logits, std::size_t top) const;

    const std::vector<PlanStep>& plan() const;
    const Model& model() const;
    int threads() const;
    MapSize input_size() const;
    std::size_t batch() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace vgg19

#include "engine/c_interface/options.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "engine/c_interface/status.h"

namespace vgg19::c_interface {

namespace {

// A struct's first version, which every caller has at least. Later fields stand behind it, and leave no gap
// at the end: the next field would stand there, and struct_size would not show whether the caller has it.
constexpr std::size_t first_session_options =
    offsetof(vgg19_session_options, convolution) + sizeof(vgg19_session_options::convolution);
constexpr std::size_t first_run_options =
    offsetof(vgg19_run_options, is_cancelled_context) + sizeof(vgg19_run_options::is_cancelled_context);
constexpr std::size_t first_loss_options =
    offsetof(vgg19_loss_options, parallel_for_context) + sizeof(vgg19_loss_options::parallel_for_context);
static_assert(sizeof(vgg19_session_options) ==
              offsetof(vgg19_session_options, log_context) + sizeof(vgg19_session_options::log_context));
static_assert(sizeof(vgg19_run_options) == first_run_options);
static_assert(sizeof(vgg19_loss_options) == first_loss_options);

[[noreturn]] void refuse_size(const char* name, const std::string& expected, std::size_t found) {
    throw Error(ErrorKind::usage, std::string(name) + ": struct_size: expected " + expected + ", found " +
                                      std::to_string(found));
}

/// The caller's struct with this version's fields: those that it lacks are zero.
template <class Struct>
Struct completed(const Struct& callers, std::size_t first_size, const char* name) {
    constexpr std::size_t longest = 4096;  // more is no version's size, but memory that nobody has set
    const std::size_t size = callers.struct_size;
    if (size < first_size || size > longest || size % alignof(Struct) != 0) {
        refuse_size(name, "sizeof(" + std::string(name) + "), which is " + std::to_string(sizeof(Struct)),
                    size);
    }
    const auto* const bytes = reinterpret_cast<const unsigned char*>(&callers);
    const bool has_unknown =
        size > sizeof(Struct) &&
        std::any_of(bytes + sizeof(Struct), bytes + size, [](unsigned char byte) { return byte != 0; });
    if (has_unknown) {
        refuse_size(name,
                    "at most " + std::to_string(sizeof(Struct)) +
                        ", or zeros behind that: this version of the library does not know these fields",
                    size);
    }
    Struct result{};
    std::memcpy(&result, &callers, std::min(size, sizeof(Struct)));
    return result;
}

const char* text(const char* callers) {
    return callers == nullptr ? "" : callers;
}

/// A caller's memory by C's functions.
class CallersMemory final : public std::pmr::memory_resource {
  public:
    explicit CallersMemory(const vgg19_session_options& options)
        : allocate_(options.allocate), deallocate_(options.deallocate), context_(options.workspace_context) {}

  private:
    void* do_allocate(std::size_t bytes, std::size_t alignment) override {
        void* const memory = allocate_(context_, bytes, alignment);
        if (memory != nullptr) return memory;
        throw Error(ErrorKind::failed, "allocate: expected " + std::to_string(bytes) + " bytes, found null");
    }
    void do_deallocate(void* memory, std::size_t bytes, std::size_t /*alignment*/) override {
        deallocate_(context_, memory, bytes);
    }
    bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

    decltype(vgg19_session_options::allocate) allocate_;
    decltype(vgg19_session_options::deallocate) deallocate_;
    void* context_;
};

std::optional<Pooling> pooling_of(const vgg19_session_options& options) {
    switch (number_of(options.pooling)) {
        case VGG19_POOLING_OF_MODEL:
            return std::nullopt;
        case VGG19_POOLING_MAX:
            return Pooling::max;
        case VGG19_POOLING_AVERAGE:
            return Pooling::average;
    }
    throw Error(ErrorKind::usage, "pooling: expected a vgg19_pooling, 0 to 2, found " +
                                      std::to_string(number_of(options.pooling)));
}

/// Of a struct that has them.
template <class Options>
ParallelFor parallel_for_of(const Options& options) {
    if (options.parallel_for == nullptr) return {};
    return [run = options.parallel_for, context = options.parallel_for_context](
               std::size_t count, const std::function<void(std::size_t)>& call) {
        constexpr vgg19_task task = [](void* callers_call, std::size_t index) {
            (*static_cast<const std::function<void(std::size_t)>*>(callers_call))(index);
        };
        run(context, count, task, const_cast<void*>(static_cast<const void*>(&call)));
    };
}

vgg19_log_level level_of(LogLevel level) {
    switch (level) {
        case LogLevel::detail:
            return VGG19_LOG_DETAIL;
        case LogLevel::information:
            return VGG19_LOG_INFORMATION;
        case LogLevel::warning:
            return VGG19_LOG_WARNING;
    }
    return VGG19_LOG_WARNING;
}

Log log_of(const vgg19_session_options& options) {
    if (options.log == nullptr) return {};
    return [log = options.log, context = options.log_context](LogLevel level, std::string_view message) {
        log(context, level_of(level), std::string(message).c_str());
    };
}

std::vector<std::string> outputs_of(const vgg19_session_options& options) {
    std::vector<std::string> outputs;
    if (options.output_count > 0) require(options.outputs, "outputs");
    for (std::size_t i = 0; i < options.output_count; ++i) {
        require(options.outputs[i], ("outputs[" + std::to_string(i) + "]").c_str());
        outputs.emplace_back(options.outputs[i]);
    }
    return outputs;
}

std::unique_ptr<std::pmr::memory_resource> workspace_of(const vgg19_session_options& options) {
    if (options.allocate == nullptr && options.deallocate == nullptr) return nullptr;
    require(reinterpret_cast<const void*>(options.allocate), "allocate, with deallocate");
    require(reinterpret_cast<const void*>(options.deallocate), "deallocate, with allocate");
    return std::make_unique<CallersMemory>(options);
}

}  // namespace

OptionsOfSession options_from(const vgg19_session_options* callers) {
    if (callers == nullptr) return {};
    const vgg19_session_options options = completed(*callers, first_session_options, "vgg19_session_options");
    // Field by field: when an initialiser of a nested aggregate throws, GCC 12 destroys fields that it has
    // not constructed yet.
    OptionsOfSession result;
    SessionOptions& session = result.options;
    session.threads = options.threads;
    session.input_height = options.input_height;
    session.input_width = options.input_width;
    if (options.batch != 0) session.batch = options.batch;
    session.isa = text(options.isa);
    session.convolution = text(options.convolution);
    session.plan_file = text(options.plan_file);
    session.outputs = outputs_of(options);
    session.gradients = options.gradients != 0;
    session.pooling = pooling_of(options);
    session.parallel_for = parallel_for_of(options);
    session.log = log_of(options);
    result.workspace = workspace_of(options);
    result.options.workspace = result.workspace.get();
    return result;
}

RunOptions options_from(const vgg19_run_options* callers) {
    if (callers == nullptr) return {};
    const vgg19_run_options options = completed(*callers, first_run_options, "vgg19_run_options");
    RunOptions result;
    if (options.seconds_count > 0) require(options.seconds, "seconds");
    result.seconds = {options.seconds, options.seconds_count};
    if (options.is_cancelled != nullptr) {
        result.is_cancelled = [is_cancelled = options.is_cancelled, context = options.is_cancelled_context] {
            return is_cancelled(context) != 0;
        };
    }
    return result;
}

LossOptions options_from(const vgg19_loss_options* callers) {
    if (callers == nullptr) return {};
    const vgg19_loss_options options = completed(*callers, first_loss_options, "vgg19_loss_options");
    LossOptions result;
    result.threads = options.threads;
    result.isa = text(options.isa);
    result.parallel_for = parallel_for_of(options);
    return result;
}

}  // namespace vgg19::c_interface

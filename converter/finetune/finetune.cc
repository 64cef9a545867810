#include "converter/finetune/finetune.h"

#include <algorithm>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "converter/finetune/checkpoint.h"
#include "converter/finetune/micro_batch.h"
#include "converter/finetune/training.h"
#include "converter/quantize/weights.h"
#include "engine/model/sha256.h"
#include "engine/model/tensor_scan.h"
#include "kernels/common/parallel.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

/// Of the items in their order: which they are, and the classes that the model is to learn for them.
std::string digest_of(const EvaluationImages& images) {
    model::Sha256 sha256;
    for (const std::size_t item : images.items) {
        const std::string name = std::filesystem::path(images.data->name(item)).filename().string();
        const std::size_t label = images.labels[images.data->label(item).value()];
        const std::string line = std::to_string(item) + ' ' + name + ' ' + std::to_string(label) + '\n';
        sha256.update(std::as_bytes(std::span(line)));
    }
    return sha256.hex_digest();
}

/// What two runs must have in common to give the same result.
model::Json::Object settings_of(const model::ModelFile& model, const TrainingImages& images,
                                const FinetuneOptions& options) {
    model::Json::Object settings = images.origin;
    settings.emplace_back("model_sha256", model::sha256_hex(model.file().mapping().bytes()));
    settings.emplace_back("images", std::uint64_t{images.images.items.size()});
    settings.emplace_back("images_sha256", digest_of(images.images));
    for (model::Json::Member& option : options_json(options)) settings.push_back(std::move(option));
    return settings;
}

bool is_there(const std::filesystem::path& path) {
    std::error_code ignored;
    return std::filesystem::exists(path, ignored);
}

/// The checkpoint to go on from.
std::optional<Checkpoint> open_checkpoint(const FinetuneFiles& files, const model::Json::Object& settings) {
    if (!is_there(files.checkpoint)) return std::nullopt;
    Checkpoint checkpoint = Checkpoint::open(files.checkpoint);
    checkpoint.require_settings(settings);
    return checkpoint;
}

TrainingResources resources_of(const model::ModelFile& model, FinetuneOptions& options,
                               const std::optional<Checkpoint>& checkpoint) {
    if (!checkpoint) {
        if (options.threads == 0) options.threads = kernels::available_cpus();
        return {.micro_batch = choose_micro_batch(model, options), .threads = options.threads};
    }
    const TrainingResources resources = checkpoint->resources();
    if (options.threads != 0 && options.threads != resources.threads) {
        throw Error(ErrorKind::usage, "--threads: expected " + std::to_string(resources.threads) +
                                          ", as the checkpoint was made with, found " +
                                          std::to_string(options.threads));
    }
    options.threads = resources.threads;
    if (resources.micro_batch > options.batch) {
        throw Error(ErrorKind::bad_input, "the checkpoint: expected a micro-batch of at most " +
                                              std::to_string(options.batch) + ", found " +
                                              std::to_string(resources.micro_batch));
    }
    require_fit(model, options, resources.micro_batch);
    return resources;
}

void keep_share(const model::ModelFile& model, std::span<const Parameter> parameters, double share) {
    const auto kept = static_cast<float>(share);
    for (const Parameter& parameter : parameters) {
        const std::span<const float> before = model.tensor(parameter.name).as<float>();
        std::transform(before.begin(), before.end(), parameter.values.begin(), parameter.values.begin(),
                       [kept](float old, float trained) { return trained + kept * (old - trained); });
    }
}

/// The model's tensors in their order, with values from the network.
void write_trained(const model::ModelFile& model, std::span<const Parameter> parameters,
                   const std::string& step, const std::filesystem::path& output,
                   const model::Progress& progress) {
    std::vector<model::Tensor> tensors;
    for (const Parameter& parameter : parameters) {
        if (const auto index = model::first_not_finite(parameter.values)) {
            throw Error(ErrorKind::failed, output.string() + ": not written: after training, element " +
                                               std::to_string(*index) + " of " + parameter.name +
                                               " is not finite; try a smaller --lr");
        }
        tensors.push_back({parameter.name, model::DType::f32, parameter.shape,
                           std::as_bytes(std::span<const float>(parameter.values))});
    }
    model::Description description = model.description();
    description.lineage.push_back(step);
    model::write_model(output, description, tensors, progress);
}

void check_files(const model::ModelFile& model, const FinetuneFiles& files) {
    model::require_other_file(model.path(), files.output);
    model::require_other_file(model.path(), files.checkpoint);
    if (files.output.lexically_normal() != files.checkpoint.lexically_normal()) return;
    throw Error(ErrorKind::usage,
                "fine-tuning: expected different files for the model and the checkpoint, "
                "found " +
                    files.output.string() + " for both");
}

}  // namespace

void check_finetune(const model::ModelFile& model, const FinetuneOptions& options,
                    const FinetuneFiles& files) {
    check_options(options);
    check_files(model, files);
    require_fp32(model);
    if (files.resume || !is_there(files.checkpoint)) return;
    throw Error(ErrorKind::usage,
                files.checkpoint.string() +
                    ": expected no checkpoint yet, found one: --resume goes on from it; or remove it");
}

void finetune(const model::ModelFile& model, const TrainingImages& images, const FinetuneOptions& options,
              const FinetuneFiles& files, const TrainingObserver& observer) {
    check_finetune(model, options, files);
    if (images.images.items.empty()) {
        throw Error(ErrorKind::usage, "fine-tuning: expected images, found none");
    }
    FinetuneOptions resolved = options;
    if (resolved.input_size == 0) resolved.input_size = model.description().preprocessing.input_size;
    resolved.batch = std::min(resolved.batch, images.images.items.size());

    const model::Json::Object settings = settings_of(model, images, resolved);
    std::optional<Checkpoint> checkpoint = open_checkpoint(files, settings);
    const TrainingResources resources = resources_of(model, resolved, checkpoint);
    Training training(model, images.images, resolved, resources.micro_batch);
    model.file().mapping().release(model.file().mapping().bytes());
    if (checkpoint) training.restore(*checkpoint);
    checkpoint.reset();

    if (observer.starting) {
        TrainingPlan plan = training.plan();
        plan.bytes = training_bytes(model, resolved, resources.micro_batch);
        observer.starting(plan);
    }
    training.run(CheckpointKeeper(files, {settings, {}, resources}), observer);
    if (resolved.keep > 0) keep_share(model, training.parameters(), resolved.keep);
    model::Json::Object all = images.origin;
    for (model::Json::Member& option : options_json(resolved)) all.push_back(std::move(option));
    write_trained(model, training.parameters(), command_text("finetune", all), files.output,
                  observer.writing);
    std::error_code ignored;  // what cannot be removed does no harm
    std::filesystem::remove(files.checkpoint, ignored);
}

}  // namespace vgg19::converter

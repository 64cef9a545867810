#include "converter/finetune/training.h"

#include <algorithm>
#include <string>
#include <utility>

#include "converter/finetune/random_key.h"
#include "converter/finetune/training_data.h"
#include "kernels/common/parallel.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

TrainingNetworkOptions network_options(const FinetuneOptions& options, const Phase& phase,
                                       std::size_t micro_batch) {
    return {.input_size = options.input_size,
            .batch = micro_batch,
            .threads = options.threads,
            .trained = phase.trained,
            .dropout = options.dropout,
            .objective = objective_of(options)};
}

OptimizerOptions optimizer_options(const FinetuneOptions& options) {
    OptimizerOptions result = options.optimizer;
    result.threads = options.threads;
    return result;
}

/// The progress, for messages.
std::string after_step(const TrainingPosition& position) {
    return "after step " + std::to_string(position.steps);
}

}  // namespace

std::vector<Phase> phases_of(const FinetuneOptions& options) {
    const Phase all = {0, options.epochs, options.trained, options.schedule};
    if (!options.head || options.head->epochs == 0) return {all};
    const Schedule faster = {
        .kind = options.schedule.kind, .learning_rate = head_learning_rate(options), .warmup = std::nullopt};
    return {{0, options.head->epochs, TrainedLayers::head, faster},
            {options.head->epochs, all.epochs, all.trained, all.schedule}};
}

FeatureMatch match_features(const model::ModelFile& model, const EvaluationImages& images,
                            const FinetuneOptions& options, std::size_t micro_batch, Teacher& teacher) {
    constexpr std::size_t most_images = 512;  // of each, all pixels are samples
    TrainingNetwork network(model, {.input_size = options.input_size,
                                    .batch = micro_batch,
                                    .threads = options.threads,
                                    .trained = TrainedLayers::convolutions,
                                    .dropout = 0});
    std::vector<PoolShape> shapes;
    for (const TrainingNetwork::Pool& pool : network.pools()) {
        shapes.push_back({pool.channels, teacher.pool_channels(shapes.size()), pool.size.pixels()});
    }
    FeatureMatch match(shapes);

    std::vector<std::size_t> items;
    for (const std::size_t place : spread_items(images.items.size(), most_images)) {
        items.push_back(images.items[place]);
    }
    const InputFormat format = {model.description().preprocessing, options.input_size};
    ImageReader reader(*images.data, items, input_formats(format, &teacher), micro_batch);
    std::vector<float> values;
    while (const ImageBatch* batch = reader.next()) {
        const std::size_t image = batch->inputs.front().size() / micro_batch;
        values.resize(batch->count * network.classes());
        network.logits(std::span(batch->inputs.front()).first(batch->count * image), values);
        teacher.run(batch->inputs.back(), batch->count);
        for (std::size_t pool = 0; pool < shapes.size(); ++pool) {
            values.resize(batch->count * shapes[pool].channels * shapes[pool].pixels);
            network.copy_pool(pool, batch->count, values);
            match.add_sample(pool, batch->count, values, teacher.pool(pool, 0, batch->count));
        }
    }
    match.fit();
    return match;
}

CheckpointKeeper::CheckpointKeeper(FinetuneFiles files, CheckpointDescription description,
                                   std::span<const Parameter> kept)
    : files_(std::move(files)), description_(std::move(description)), kept_(kept) {}

bool CheckpointKeeper::is_due(std::uint64_t steps) const {
    if (files_.checkpoint.empty()) return false;
    if (files_.checkpoint_steps > 0 && steps % files_.checkpoint_steps == 0) return true;
    return files_.checkpoint_seconds > 0 && seconds_since(last_) >= files_.checkpoint_seconds;
}

void CheckpointKeeper::write(const TrainingPosition& position, std::span<const Parameter> parameters,
                             std::span<const OptimizerState> state) {
    description_.position = position;
    write_checkpoint(files_.checkpoint, description_, parameters, state, kept_);
    last_ = Clock::now();
}

Training::Training(const model::ModelFile& model, EvaluationImages images, const FinetuneOptions& options,
                   Phase phase, std::size_t micro_batch, const TrainingPosition& start, const Lesson& lesson)
    : format_{model.description().preprocessing, options.input_size},
      images_(std::move(images)),
      options_(options),
      phase_(phase),
      micro_batch_(micro_batch),
      network_(model, network_options(options, phase, micro_batch)),
      optimizer_(network_.parameters(), optimizer_options(options)),
      average_(network_.parameters(), options.average, phase_steps(), options.threads),
      teacher_(lesson.teacher),
      compares_pools_(lesson.match != nullptr && trains_convolutions(phase.trained)),
      position_(start),
      seconds_before_(start.seconds) {
    if (compares_pools_) network_.match_features(*lesson.match);
}

std::uint64_t Training::steps_an_epoch() const {
    return (images_.items.size() + options_.batch - 1) / options_.batch;
}

TrainingPlan Training::plan() const {
    return {.images = images_.items.size(),
            .epochs = epochs(),
            .head_epochs = options_.head ? options_.head->epochs : 0,
            .steps = steps(),
            .done = position_.steps,
            .batch = options_.batch,
            .micro_batch = micro_batch_,
            .threads = options_.threads};
}

void Training::restore(const Checkpoint& checkpoint, std::span<const Parameter> kept) {
    position_ = checkpoint.position();
    seconds_before_ = position_.seconds;
    if (position_.steps > steps()) {
        throw Error(ErrorKind::bad_input, "the checkpoint: expected at most " + std::to_string(steps()) +
                                              " steps, found " + std::to_string(position_.steps));
    }
    checkpoint.restore(network_.parameters(), state(), kept);
    optimizer_.set_steps(position_.steps - first_step());
}

void Training::run(CheckpointKeeper keeper, const TrainingObserver& observer) {
    start_ = Clock::now();
    while (position_.steps < first_step() + phase_steps()) run_epoch(keeper, observer);
    average_.apply();
}

void Training::run_epoch(CheckpointKeeper& keeper, const TrainingObserver& observer) {
    const std::uint64_t epoch = position_.steps / steps_an_epoch();
    std::vector<std::size_t> items = epoch_order(images_.items, options_.seed, epoch);
    const std::size_t done = position_.steps % steps_an_epoch() * options_.batch;
    items.erase(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(done));

    // A teacher knows no pictures with black borders: what it says of them misleads.
    const PaddedShifts shifts = teacher_ == nullptr ? PaddedShifts::yes : PaddedShifts::no;
    const AugmentedData augmented(*images_.data, options_.seed, epoch, shifts);
    const DataSet& data = options_.augmentation ? static_cast<const DataSet&>(augmented) : *images_.data;
    ImageReader reader(data, items, input_formats(format_, teacher_), options_.batch);
    while (const ImageBatch* batch = next_batch(reader, keeper)) {
        const TrainingStep result = step(*batch);
        if (observer.stepped) observer.stepped(result);
        if (position_.steps == steps()) return;
        if (observer.should_stop && observer.should_stop()) stop(keeper);
        if (keeper.is_due(position_.steps)) keep(keeper);
    }
}

const ImageBatch* Training::next_batch(ImageReader& reader, CheckpointKeeper& keeper) {
    try {
        return reader.next();
    } catch (const Error& error) {
        if (position_.steps == 0 || keeper.path().empty()) throw;
        keep(keeper);
        throw Error(error.kind(), std::string(error.what()) + "; training stopped " + after_step(position_) +
                                      ", and --resume continues from " + keeper.path().string());
    }
}

TrainingStep Training::step(const ImageBatch& batch) {
    const std::uint64_t epoch = position_.steps / steps_an_epoch();
    const std::uint64_t step_of_epoch = position_.steps % steps_an_epoch();
    if (step_of_epoch == 0) {
        position_.loss = 0;
        position_.top1 = 0;
    }
    const double rate = learning_rate_at(phase_.schedule, position_.steps - first_step(), phase_steps());
    const BatchResult result = accumulate(batch, epoch);
    optimizer_.step(rate);
    ++position_.steps;
    average_.add(position_.steps - first_step());
    const std::uint64_t right = images_.labels.empty() ? result.same_as_teacher : result.top1;
    position_.loss += result.loss;
    position_.top1 += right;
    position_.seconds = seconds_before_ + seconds_since(start_);

    const std::uint64_t shown = step_of_epoch * options_.batch + batch.items.size();
    const auto count = static_cast<double>(batch.items.size());
    return {.step = position_.steps,
            .epoch = epoch + 1,
            .images = epoch * images_.items.size() + shown,
            .loss = result.loss / count,
            .accuracy = static_cast<double>(right) / count,
            .epoch_loss = position_.loss / static_cast<double>(shown),
            .epoch_accuracy = static_cast<double>(position_.top1) / static_cast<double>(shown),
            .learning_rate = rate,
            .seconds = position_.seconds};
}

BatchResult Training::accumulate(const ImageBatch& batch, std::uint64_t epoch) {
    const std::vector<std::size_t>& items = batch.items;
    const std::vector<std::size_t> labels = labels_of(images_, items);
    std::span<const float> teachers_logits;
    if (teacher_ != nullptr) {
        teacher_->run(batch.inputs.back(), items.size());
        teachers_logits = teacher_->logits();
    }
    std::vector<std::uint64_t> dropout_keys;
    dropout_keys.reserve(items.size());
    for (const std::size_t item : items) {
        dropout_keys.push_back(random_key(options_.seed, RandomUse::dropout, epoch, item));
    }
    const std::size_t image = batch.inputs.front().size() / options_.batch;
    const std::size_t parts = (items.size() + micro_batch_ - 1) / micro_batch_;
    const double scale = 1.0 / static_cast<double>(items.size());

    network_.zero_gradients();
    BatchResult sum;
    for (std::size_t part = 0; part < parts; ++part) {
        const auto [begin, end] = kernels::part_of(items.size(), parts, part);
        const std::size_t count = end - begin;
        const auto part_of = [&, begin = begin](auto values, std::size_t each) {
            return values.empty() ? values : values.subspan(begin * each, count * each);
        };
        std::vector<std::span<const float>> pools;
        if (compares_pools_) pools.reserve(teacher_->pools());
        for (std::size_t pool = 0; compares_pools_ && pool < teacher_->pools(); ++pool) {
            pools.push_back(teacher_->pool(pool, begin, count));
        }
        try {
            sum += network_.accumulate(part_of(std::span<const float>(batch.inputs.front()), image),
                                       {.labels = part_of(std::span<const std::size_t>(labels), 1),
                                        .teacher_logits = part_of(teachers_logits, network_.classes()),
                                        .teacher_pools = pools},
                                       part_of(std::span<const std::uint64_t>(dropout_keys), 1), scale);
        } catch (const Error& error) {
            throw Error(error.kind(), "training failed " + after_step(position_) + " of " +
                                          std::to_string(steps()) + ": " + error.what());
        }
    }
    return sum;
}

void Training::keep(CheckpointKeeper& keeper) {
    keeper.write(position_, network_.parameters(), state());
}

std::vector<OptimizerState> Training::state() const {
    const std::span<const OptimizerState> average = average_.state_after(position_.steps - first_step());
    std::vector<OptimizerState> result(optimizer_.state().begin(), optimizer_.state().end());
    result.insert(result.end(), average.begin(), average.end());
    return result;
}

void Training::stop(CheckpointKeeper& keeper) {
    keep(keeper);
    throw Error(ErrorKind::failed, "interrupted " + after_step(position_) + " of " + std::to_string(steps()) +
                                       "; the same command with --resume continues from " +
                                       keeper.path().string());
}

}  // namespace vgg19::converter

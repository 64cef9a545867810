// For tests of fine-tuning: a narrow model, training pictures, and runs with them.
#pragma once

#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "converter/finetune/finetune.h"
#include "engine/testing/error_of.h"
#include "engine/testing/narrow_model.h"

namespace vgg19::converter::testing {

inline std::string content(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

inline void write(const std::filesystem::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
}

/// 18 random pictures in CIFAR-10's format; with a batch of 4, an epoch has five steps, the last of two
/// pictures.
struct Workplace {
    static constexpr std::size_t pictures = 18;
    static constexpr std::size_t record_bytes = 3073;

    kernels::testing::Random random;
    vgg19::testing::TemporaryFolder folder;
    std::unique_ptr<model::ModelFile> model;
    std::unique_ptr<DataSet> data;
    FinetuneOptions options;
    FinetuneFiles files;

    explicit Workplace(model::DenseOrder order = model::DenseOrder::input_major) {
        vgg19::testing::write_narrow_model(folder / "model", random, 10, order);
        std::string bytes;
        for (std::size_t i = 0; i < pictures * record_bytes; ++i) {
            const std::size_t label = i / record_bytes % 10;
            bytes +=
                static_cast<char>(i % record_bytes == 0 ? static_cast<int>(label) : random.integer(0, 255));
        }
        write(folder / "batch.bin", bytes);
        model = std::make_unique<model::ModelFile>(model::ModelFile::open(folder / "model"));
        data = open_data_set(folder / "batch.bin");
        options.epochs = 2;
        options.batch = 4;
        options.threads = 2;
        options.schedule = {.kind = ScheduleKind::cosine, .learning_rate = 1e-3, .warmup = 2};
        files.output = folder / "output";
        files.checkpoint = folder / "checkpoint";
        files.checkpoint_seconds = 0;
    }

    TrainingImages images() const {
        return {{.data = data.get(),
                 .items = spread_items(data->size(), pictures),
                 .labels = map_classes(*data, "data", 10).map},
                {{"data", "batch.bin"}}};
    }

    void run(const TrainingObserver& observer = {}) const {
        finetune(*model, images(), options, files, observer);
    }

    /// Runs to the end without interruption; returns the file's bytes.
    std::string result() {
        files.resume = false;
        run();
        return take_output();
    }

    std::string take_output() const {
        std::string bytes = content(files.output);
        std::filesystem::remove(files.output);
        return bytes;
    }

    std::string run_error(ErrorKind kind, const TrainingObserver& observer = {}) const {
        return vgg19::testing::error_of(kind, [&] { run(observer); });
    }

    /// Stops after `step`.
    std::string stop_after(std::uint64_t step) const {
        std::uint64_t seen = 0;
        TrainingObserver observer;
        observer.stepped = [&](const TrainingStep& done) { seen = done.step; };
        observer.should_stop = [&] { return seen == step; };
        return run_error(ErrorKind::failed, observer);
    }

    /// Simulates a process that is killed after `step`: nothing more is written.
    void crash_after(std::uint64_t step) const {
        struct Crash {};
        TrainingObserver observer;
        observer.stepped = [&](const TrainingStep& done) {
            if (done.step == step) throw Crash{};
        };
        CHECK_THROWS_AS(run(observer), Crash);
    }

    bool has(const std::string& name) const { return std::filesystem::exists(folder / name); }
};

}  // namespace vgg19::converter::testing

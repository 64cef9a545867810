#include "tools/training_report.h"

#include <charconv>
#include <cmath>
#include <iostream>
#include <sstream>
#include <string_view>
#include <utility>

#include "engine/model/json.h"
#include "engine/model/mapped_file.h"
#include "engine/model/safetensors.h"
#include "tools/text.h"
#include "vgg19/error.h"

namespace vgg19::tools {

namespace {

constexpr std::string_view log_head = "step,epoch,images,loss,accuracy,learning_rate,seconds\n";
constexpr std::chrono::seconds line_interval{30};

/// Enough digits to read back the same number.
std::string number_text(double value) {
    return model::Json(value).dump();
}

/// The header and the lines of the first `steps` steps.
std::string lines_up_to(const std::filesystem::path& path, std::uint64_t steps) {
    const model::MappedFile file{path};
    std::string_view rest = model::as_text(file.bytes());
    if (!rest.starts_with(log_head)) {
        throw Error(ErrorKind::usage, path.string() +
                                          ": expected the log of the training to go on with, "
                                          "found another file");
    }
    std::string kept(log_head);
    rest.remove_prefix(log_head.size());
    while (!rest.empty()) {
        const std::size_t end = rest.find('\n');
        std::uint64_t step = 0;
        const auto parsed = std::from_chars(rest.data(), rest.data() + rest.size(), step);
        if (end == std::string_view::npos || parsed.ec != std::errc{} || step > steps) break;
        kept += rest.substr(0, end + 1);
        rest.remove_prefix(end + 1);
    }
    return kept;
}

}  // namespace

TrainingLog::TrainingLog(std::filesystem::path path, std::uint64_t done) : path_(std::move(path)) {
    std::error_code ignored;
    const bool goes_on = done > 0 && std::filesystem::exists(path_, ignored);
    model::write_text_file(path_, goes_on ? lines_up_to(path_, done) : std::string(log_head));
    file_.open(path_, std::ios::app | std::ios::binary);
    write("");
}

void TrainingLog::add(const converter::TrainingStep& step) {
    std::ostringstream line;
    line << step.step << ',' << step.epoch << ',' << step.images << ',' << number_text(step.loss) << ','
         << number_text(step.accuracy) << ',' << number_text(step.learning_rate) << ','
         << fixed(step.seconds, 3) << '\n';
    write(line.str());
}

void TrainingLog::write(const std::string& line) {
    file_ << line << std::flush;
    if (!file_) throw Error(ErrorKind::failed, path_.string() + ": cannot be written");
}

converter::TrainingObserver TrainingReport::observer() {
    converter::TrainingObserver observer;
    observer.starting = [this](const converter::TrainingPlan& plan) { start(plan); };
    observer.stepped = [this](const converter::TrainingStep& step) { add(step); };
    observer.trying_rates = [this](std::uint64_t done, std::uint64_t total) {
        if (!trying_) trying_.emplace("trying learning rates", ProgressUnit::items);
        trying_->update(done, total);
    };
    observer.rates_tried = [this](const std::vector<converter::TriedRate>& tried) {
        trying_.reset();
        std::cerr << rates_text(tried) << '\n';
    };
    observer.judging = [this](std::uint64_t done, std::uint64_t total) {
        bar_.reset();
        if (!judging_) judging_.emplace("judging", ProgressUnit::items);
        judging_->update(done, total);
        if (done == total) judging_.reset();
    };
    observer.writing = [this](std::uint64_t done, std::uint64_t total) {
        bar_.reset();
        if (!writing_) writing_.emplace("writing", ProgressUnit::bytes);
        writing_->update(done, total);
    };
    return observer;
}

void TrainingReport::start(const converter::TrainingPlan& plan) {
    plan_ = plan;
    std::cerr << "training: " << plan_text(plan) << '\n';
    if (!log_path_.empty()) log_.emplace(log_path_, plan.done);
    bar_.emplace("training", ProgressUnit::items);
    bar_->set_line_interval(line_interval);
    const std::uint64_t steps_an_epoch = (plan.images + plan.batch - 1) / plan.batch;
    bar_->set_done_before(plan.done / steps_an_epoch * plan.images + plan.done % steps_an_epoch * plan.batch);
}

void TrainingReport::add(const converter::TrainingStep& step) {
    last_ = step;
    if (log_) log_->add(step);
    const std::string note = loss_text(step.epoch_loss, step.epoch_accuracy);
    bar_->set_note(note);
    bar_->update(step.images, plan_.images * plan_.epochs);
    if (step.images != step.epoch * plan_.images) return;
    bar_->clear();
    std::cerr << "epoch " << step.epoch << " of " << plan_.epochs << ": " << note << "  "
              << fixed(step.seconds, 1) << " s\n";
}

std::string plan_text(const converter::TrainingPlan& plan) {
    std::string text = std::to_string(plan.steps) + " steps of " + std::to_string(plan.batch) + " images";
    if (plan.micro_batch < plan.batch) {
        const std::size_t parts = (plan.batch + plan.micro_batch - 1) / plan.micro_batch;
        text += " (" + std::to_string(parts) + " parts of at most " + std::to_string(plan.micro_batch) + ")";
    }
    text += ", " + std::to_string(plan.threads) + (plan.threads == 1 ? " thread, " : " threads, ") +
            megabytes(plan.bytes);
    if (plan.head_epochs > 0) {
        text +=
            "; in the first " +
            (plan.head_epochs == 1 ? std::string("epoch") : std::to_string(plan.head_epochs) + " epochs") +
            " the new layer learns alone";
    }
    if (plan.done > 0) text += "; " + std::to_string(plan.done) + " steps are done";
    return text;
}

std::string rates_text(const std::vector<converter::TriedRate>& tried) {
    std::string text;
    for (const converter::TriedRate& each : tried) {
        text += (text.empty() ? "" : ", ") + number_text(each.rate) + ": " +
                (std::isfinite(each.loss) ? fixed(each.loss, 4) : "too high");
    }
    return "learning rates, and the loss on held-out images after a short run: " + text;
}

std::string loss_text(double loss, double accuracy) {
    return "loss " + fixed(loss, 4) + "  accuracy " + fixed(100 * accuracy, 1) + " %";
}

}  // namespace vgg19::tools

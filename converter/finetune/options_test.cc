#include "converter/finetune/options.h"

#include <doctest/doctest.h>

#include "engine/testing/error_of.h"

namespace vgg19::converter {

namespace {

using vgg19::testing::Containing;
using vgg19::testing::error_of;

std::string refusal(const FinetuneOptions& options) {
    return error_of(ErrorKind::usage, [&] { check_options(options); });
}

}  // namespace

TEST_CASE("options become a command line that can be repeated") {
    FinetuneOptions options;
    options.input_size = 32;
    CHECK(command_text("finetune", options_json(options)) ==
          "finetune --size 32 --epochs 1 --batch 32 --lr 0.0001 --schedule cosine --optimizer adam "
          "--weight-decay 0 --dropout 0.5 --train all --seed 0");
    options.optimizer.kind = OptimizerKind::sgd;
    options.schedule = {.kind = ScheduleKind::step, .learning_rate = 1.0 / 3, .warmup = 7};
    options.trained = TrainedLayers::convolutions;
    options.augmentation = false;
    options.seed = 18446744073709551615U;
    CHECK(
        command_text("finetune", options_json(options)) ==
        "finetune --size 32 --epochs 1 --batch 32 --lr 0.3333333333333333 --schedule step --warmup 7 "
        "--optimizer sgd --momentum 0.9 --weight-decay 0 --dropout 0.5 --train conv --no-augmentation --seed "
        "18446744073709551615");
}

TEST_CASE("names map back to their values, and unknown names give the list") {
    for (const auto kind : {OptimizerKind::adam, OptimizerKind::sgd})
        CHECK(optimizer_named(name_of(kind)) == kind);
    for (const auto kind : {ScheduleKind::constant, ScheduleKind::cosine, ScheduleKind::step}) {
        CHECK(schedule_named(name_of(kind)) == kind);
    }
    for (const auto layers :
         {TrainedLayers::all, TrainedLayers::dense, TrainedLayers::convolutions, TrainedLayers::head}) {
        CHECK(trained_layers_named(name_of(layers)) == layers);
    }
    CHECK(error_of(ErrorKind::usage, [] { trained_layers_named("some"); }) ==
          "--train: expected one of all, dense, conv, head; found 'some'");
}

TEST_CASE("invalid options are refused") {
    CHECK(refusal({.input_size = 31}) == Containing("32"));
    CHECK(refusal({.epochs = 0}) == Containing("epoch"));
    CHECK(refusal({.batch = 0}) == Containing("image a step"));
    CHECK(refusal({.schedule = {.learning_rate = 0}}) == Containing("learning rate"));
    CHECK(refusal({.dropout = 1}) == Containing("dropout"));
    CHECK(refusal({.keep = 1}) == Containing("share to keep"));
    CHECK(refusal({.average = 1.5}) == Containing("steps to average"));
    CHECK(refusal({.finds_rate = true, .head = NewHead{.classes = 2}}) == Containing("not auto"));
    CHECK(refusal({.optimizer = {.momentum = 1}}) == Containing("momentum"));
    CHECK(refusal({.optimizer = {.weight_decay = -1}}) == Containing("weight decay"));
}

}  // namespace vgg19::converter

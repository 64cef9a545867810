#include "converter/import/settings.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "converter/import/import.h"
#include "converter/import/testing/files.h"
#include "engine/model/model_file.h"
#include "engine/testing/error_of.h"
#include "engine/testing/narrow_model.h"
#include "engine/testing/temporary_folder.h"
#include "kernels/common/testing/random.h"

namespace vgg19::converter {

namespace {

using model::ModelFile;
using vgg19::testing::Containing;
using vgg19::testing::error_of;

struct Fixture {
    Fixture() {
        kernels::testing::Random random(1);
        const auto made =
            vgg19::testing::random_tensors(model::Network::parse("2 M 3 M 2 2 M 2 2 M 2 2 M", "6 7"), random);
        model::write_safetensors(folder / "weights", {}, made.tensors);
        std::vector<model::Tensor> first(made.tensors.begin(), made.tensors.begin() + 6);
        model::write_safetensors(folder / "first", {}, first);
    }
    ModelFile imported(const std::filesystem::path& file, const ImportOptions& options) {
        report = import_model(file, folder / "model", options);
        return ModelFile::open(folder / "model");
    }

    vgg19::testing::TemporaryFolder folder;
    ImportReport report;
};

}  // namespace

TEST_CASE("a known way of preprocessing sets what other options leave open") {
    Fixture fixture;
    ImportOptions options;
    set_known_preprocessing("caffe", options);
    const ModelFile caffe = fixture.imported(fixture.folder / "weights", options);
    const Preprocessing& found = caffe.description().preprocessing;
    CHECK(found.channel_order == ChannelOrder::bgr);
    CHECK(found.range == 255);
    CHECK(found.mean == std::array{103.939F, 116.779F, 123.68F});
    CHECK(found.deviation == std::array{1.0F, 1.0F, 1.0F});
    CHECK(found.resize_ratio == Preprocessing{}.resize_ratio);
    CHECK(caffe.description().lineage.front() ==
          "convert weights --channels BGR --range 255 --mean 103.939,116.779,123.68 --std 1,1,1");

    ImportOptions finer = {.mean = std::array{1.0F, 2.0F, 3.0F}, .channel_order = ChannelOrder::rgb};
    set_known_preprocessing("caffe", finer);
    CHECK(finer.channel_order == ChannelOrder::rgb);
    CHECK(finer.range == 255.0F);
    CHECK(finer.mean == std::array{1.0F, 2.0F, 3.0F});

    ImportOptions back;
    set_known_preprocessing("torchvision", back);
    std::filesystem::rename(fixture.folder / "model", fixture.folder / "caffe");
    CHECK(fixture.imported(fixture.folder / "caffe", back).description().preprocessing == Preprocessing{});
    CHECK(error_of(ErrorKind::usage, [&] { set_known_preprocessing("Caffe", options); }) ==
          "--preprocessing: expected torchvision or caffe, found 'Caffe'");
}

TEST_CASE("a mean or deviation beyond the range of the input is refused") {
    Fixture fixture;
    CHECK(error_of(ErrorKind::usage, [&] {
              fixture.imported(fixture.folder / "weights", {.deviation = std::array{58.4F, 57.1F, 57.4F}});
          }) == Containing("--std: expected numbers up to the range of the input, 1, found 58.4"));
    CHECK(error_of(
              ErrorKind::usage,
              [&] {
                  fixture.imported(fixture.folder / "weights", {.mean = std::array{123.68F, 116.8F, 103.9F}});
              }) == Containing("--mean: expected numbers up to the range of the input, 1, found 123.68; use "
                               "--range 255"));
    CHECK(!std::filesystem::exists(fixture.folder / "model"));
}

TEST_CASE("average pooling is described, and can be changed") {
    Fixture fixture;
    const ModelFile average = fixture.imported(fixture.folder / "weights", {.pooling = Pooling::average});
    CHECK(average.description().pooling == Pooling::average);
    CHECK(average.description().lineage.front() == "convert weights --pooling average");
    std::filesystem::rename(fixture.folder / "model", fixture.folder / "average");
    CHECK(fixture.imported(fixture.folder / "average", {}).description().pooling == Pooling::average);
    CHECK(fixture.imported(fixture.folder / "average", {.pooling = Pooling::max}).description().pooling ==
          Pooling::max);
}

TEST_CASE("the classifier of weights and of a model can be left out") {
    Fixture fixture;
    const auto check = [](const ModelFile& model) {
        CHECK(model.network().classes() == 0);
        CHECK(model.network().features_text() == "2 M 3 M 2 2 M 2 2 M 2 2 M");
        CHECK(model.tensors().size() == 16);
        CHECK(model.find("classifier.0.bias") == nullptr);
        CHECK(model.description().class_names.empty());
    };
    check(fixture.imported(fixture.folder / "weights", {.features_only = true}));
    REQUIRE(fixture.report.left.size() == 1);
    CHECK(fixture.report.left.front() == std::pair(std::string("classifier"), std::size_t{4}));
    CHECK(ModelFile::open(fixture.folder / "model").description().lineage.front() ==
          "convert weights --features-only");

    testing::write_bytes(fixture.folder / "names.txt", "a\nb\nc\nd\ne\nf\ng\n");
    fixture.imported(fixture.folder / "weights", {.classes = fixture.folder / "names.txt"});
    std::filesystem::rename(fixture.folder / "model", fixture.folder / "whole");
    const ModelFile features = fixture.imported(fixture.folder / "whole", {.features_only = true});
    check(features);
    features.verify_checksums();
    CHECK(error_of(ErrorKind::usage, [&] {
              fixture.imported(fixture.folder / "whole",
                               {.classes = fixture.folder / "names.txt", .features_only = true});
          }) == Containing("expected no class names for a model of features alone"));
}

TEST_CASE("the first convolutions alone become a model, which can be changed again") {
    Fixture fixture;
    const ModelFile first = fixture.imported(fixture.folder / "first", {});
    CHECK(first.network().features_text() == "2 M 3 M 2");
    CHECK(fixture.report.title == "VGG-11's first 3 convolutions");
    CHECK(fixture.report.dense == "none");
    REQUIRE(fixture.report.notes.size() == 1);
    CHECK(fixture.report.notes.front() ==
          "a VGG-11's first 3 convolutions, the last of them features.6: a model of features alone, which "
          "has no classes");
    std::filesystem::rename(fixture.folder / "model", fixture.folder / "again");
    CHECK(fixture.imported(fixture.folder / "again", {.pooling = Pooling::average}).network() ==
          first.network());
}

}  // namespace vgg19::converter

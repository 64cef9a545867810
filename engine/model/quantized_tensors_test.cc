// Tests the INT8 and INT4 tensors of model files.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "engine/model/model_file.h"
#include "engine/model/testing/fixture.h"
#include "engine/testing/error_of.h"
#include "vgg19/error.h"

namespace vgg19::model {

namespace {

using testing::Fixture;
using testing::tiny_network;
using vgg19::testing::Containing;
using vgg19::testing::error_of;

}  // namespace

TEST_CASE("dense layers may be INT8, with a scale per output channel") {
    Fixture fixture;
    fixture.make_int8("classifier.3", 0.25F);
    fixture.write();
    const ModelFile model = ModelFile::open(fixture.path());
    CHECK(model.is_int8("classifier.3"));
    CHECK_FALSE(model.is_int8("classifier.6"));
    CHECK(model.tensor("classifier.3.weight_scale").as<float>()[2] == 0.25F);
}

TEST_CASE("INT8 dense weights may be in either order") {
    const DenseLayer first = tiny_network().dense_layers()[0];
    Fixture fixture;
    fixture.make_int8(first.name, 0.25F);
    fixture.make_input_major(first);
    fixture.write();
    const ModelFile model = ModelFile::open(fixture.path());
    CHECK(model.is_int8(first.name));
    CHECK(model.order(first) == DenseOrder::input_major);
}

TEST_CASE("dense layers may be INT4, with only a half-precision scale per group") {
    const DenseLayer last = tiny_network().dense_layers()[2];
    const auto make_int4 = [&](Fixture& fixture) {
        fixture.remove(weight_name(last.name));
        fixture.add("classifier.6.weight_int4", DType::u8, {3, 16}, 0x5B);
        fixture.add("classifier.6.weight_int4_scale", DType::f16, {3, 1}, 0x21);
    };
    Fixture fixture;
    make_int4(fixture);
    fixture.write();
    const ModelFile model = ModelFile::open(fixture.path());
    CHECK(model.is_int4(last.name));
    CHECK_FALSE(model.is_int8(last.name));
    CHECK_FALSE(model.is_int4("classifier.3"));
    CHECK(model.order(last) == DenseOrder::input_major);
    CHECK(model.weight(last).name == "classifier.6.weight_int4");
    model.check_int4_scales(last);
    model.verify_checksums();

    const auto problem_of = [&](const auto& change) {
        Fixture wrong;
        make_int4(wrong);
        change(wrong);
        std::string message = wrong.write_error();
        CHECK(message == wrong.open_error([](Metadata&) {}));
        return message;
    };
    CHECK(problem_of([](Fixture& wrong) { wrong.remove("classifier.6.weight_int4_scale"); }) ==
          Containing("classifier.6.weight_int4_scale: missing; expected F16 (3, 1)"));
    CHECK(problem_of([](Fixture& wrong) {
              wrong.tensor("classifier.6.weight_int4").shape = {16, 3};
          }) == Containing("classifier.6.weight_int4: expected U8 (3, 16), found U8 (16, 3)"));
    CHECK(problem_of([](Fixture& wrong) {
              wrong.add("classifier.6.weight", DType::f32, {5, 3}, 0);
          }) == Containing("classifier.6.weight: not in the network"));
    CHECK(problem_of([](Fixture& wrong) {
              wrong.add("features.0.weight_int4", DType::u8, {3, 16}, 0);
          }) == Containing("features.0.weight_int4: not in the network"));
}

TEST_CASE("scales must be positive and finite, and belong to an INT8 weight") {
    for (const float scale : {0.0F, -1.0F, std::nanf(""), std::numeric_limits<float>::infinity()}) {
        Fixture fixture;
        fixture.make_int8("classifier.3", scale);
        CHECK(fixture.write_error() ==
              Containing("classifier.3.weight_scale: element 0: expected a positive, finite number"));
    }
    Fixture without;
    without.make_int8("classifier.0", 1.0F);
    without.remove("classifier.0.weight_scale");
    CHECK(without.write_error() == Containing("classifier.0.weight_scale: missing; expected F32 (4)"));

    Fixture beside_f32;
    beside_f32.add("classifier.0.weight_scale", DType::f32, {4}, 1);
    CHECK(beside_f32.write_error() == Containing("classifier.0.weight_scale: not in the network"));

    Fixture first;  // its input is signed
    first.make_int8("features.0", 1.0F);
    CHECK(first.write_error() ==
          Containing("features.0.weight: expected F32 (2, 3, 3, 3), found I8 (2, 3, 3, 3)"));
}

TEST_CASE("an INT8 convolution has the scale of its input, and may have those of its transformed input") {
    const auto with_scales = [](std::vector<float> input, std::vector<float> winograd) {
        Fixture fixture;
        fixture.make_int8("features.3", 1.0F);
        if (!input.empty()) fixture.add_floats("features.3.input_scale", input);
        if (!winograd.empty()) fixture.add_floats("features.3.winograd_input_scale", winograd);
        try {
            fixture.write();
            return std::string();
        } catch (const Error& error) {
            return std::string(error.what());
        }
    };
    const std::vector<float> winograd(winograd_positions, 0.5F);
    CHECK(with_scales({0.1F}, {}).empty());
    CHECK(with_scales({0.1F}, winograd).empty());

    CHECK(with_scales({}, winograd) == Containing("features.3.input_scale: missing; expected F32 (1)"));
    CHECK(with_scales({0.1F, 0.1F}, {}) ==
          Containing("features.3.input_scale: expected F32 (1), found F32 (2)"));
    CHECK(with_scales({0.1F}, {0.5F}) ==
          Containing("features.3.winograd_input_scale: expected F32 (16), found F32 (1)"));
    for (const float scale : {0.0F, -1.0F, std::nanf(""), std::numeric_limits<float>::infinity()}) {
        CHECK(with_scales({scale}, {}) ==
              Containing("features.3.input_scale: element 0: expected a positive, finite number"));
        std::vector<float> wrong = winograd;
        wrong[7] = scale;
        CHECK(with_scales({0.1F}, wrong) ==
              Containing("features.3.winograd_input_scale: element 7: expected a positive, finite number"));
    }

    Fixture larger_tile;
    larger_tile.make_int8("features.3", 1.0F);
    larger_tile.add_floats("features.3.input_scale", {0.1F});
    larger_tile.add_floats("features.3.winograd_f4x4_input_scale",
                           std::vector<float>(winograd_f4x4_positions, 0.5F));
    larger_tile.write();
    CHECK(ModelFile::open(larger_tile.path()).find("features.3.winograd_f4x4_input_scale") != nullptr);
    larger_tile.remove("features.3.winograd_f4x4_input_scale");
    larger_tile.add_floats("features.3.winograd_f4x4_input_scale", winograd);
    CHECK(larger_tile.write_error() ==
          Containing("features.3.winograd_f4x4_input_scale: expected F32 (46), found F32 (16)"));

    Fixture beside_f32;
    beside_f32.add_floats("features.3.input_scale", {0.1F});
    CHECK(beside_f32.write_error() == Containing("features.3.input_scale: not in the network"));
}

TEST_CASE("a model with replaced tensors has those, and the file's for the other layers") {
    Fixture fixture;
    fixture.write();
    const ModelFile file = ModelFile::open(fixture.path());
    fixture.make_int8("features.3", 0.5F);
    fixture.add_floats("features.3.input_scale", {0.1F});
    std::vector<Tensor> replaced;
    for (const Tensor& tensor : fixture.tensors()) {
        if (tensor.name.starts_with("features.3.")) replaced.push_back(tensor);
    }
    const ModelFile mixed = file.with(replaced);
    CHECK(mixed.is_int8("features.3"));
    CHECK_FALSE(file.is_int8("features.3"));
    CHECK(mixed.tensor("features.3.bias").bytes.data() == fixture.tensor("features.3.bias").bytes.data());
    CHECK(mixed.tensor("features.0.weight").bytes.data() == file.tensor("features.0.weight").bytes.data());

    const std::vector<Tensor> incomplete = {fixture.tensor("features.3.weight")};
    CHECK(error_of(ErrorKind::bad_input, [&] { static_cast<void>(file.with(incomplete)); }) ==
          Containing("features.3.bias: missing"));
}

}  // namespace vgg19::model

// Networks of testdata/make_caffe.py give what PyTorch computes with the same weights, and others are
// refused.
#include "converter/import/caffe/caffe.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "converter/caffe/caffe.pb.h"
#include "converter/import/testing/foreign.h"
#include "engine/model/model_file.h"

namespace {

using vgg19::converter::import_model;
using vgg19::converter::rounds_up_text;
using vgg19::converter::testing::check_output;
using vgg19::converter::testing::foreign_refusal;
using vgg19::converter::testing::output_of;
using vgg19::converter::testing::read_bytes;
using vgg19::converter::testing::waves;
using vgg19::converter::testing::with_formats;
using vgg19::converter::testing::write_bytes;
using vgg19::model::ModelFile;
using vgg19::testing::Containing;
using vgg19::testing::TemporaryFolder;
namespace caffe = vgg19::caffe;

const std::filesystem::path folder_of_data = std::filesystem::path(VGG19_IMPORT_TESTDATA) / "caffe";

using Change = std::function<void(caffe::NetParameter&)>;

std::string refusal(const Change& change, const std::string& file = "old.caffemodel") {
    caffe::NetParameter net;
    REQUIRE(net.ParseFromString(read_bytes(folder_of_data / file)));
    change(net);
    return foreign_refusal(net.SerializeAsString());
}

caffe::V1LayerParameter& layer(caffe::NetParameter& net, const std::string& name) {
    for (caffe::V1LayerParameter& each : *net.mutable_layers()) {
        if (each.name() == name) return each;
    }
    FAIL("no such layer");
    return *net.mutable_layers(0);
}

}  // namespace

TEST_CASE("networks of Caffe compute what PyTorch computes with their weights") {
    const TemporaryFolder folder;
    import_model(folder_of_data / "old.caffemodel", folder / "model", with_formats());
    check_output(output_of(folder / "model", waves(64), 64), folder_of_data / "expected.safetensors", "old");
    const auto preprocessing = ModelFile::open(folder / "model").description().preprocessing;
    CHECK(preprocessing.channel_order == vgg19::ChannelOrder::bgr);
    CHECK(preprocessing.range == 255);
    CHECK(preprocessing.input_size == vgg19::MapSize(64));

    import_model(folder_of_data / "new.caffemodel", folder / "model", with_formats());
    check_output(output_of(folder / "model", waves(32), 32), folder_of_data / "expected.safetensors", "new");
    CHECK(ModelFile::open(folder / "model").description().pooling == vgg19::Pooling::average);
}

TEST_CASE("a ReLU behind the last layer of Caffe is left out and named") {
    const TemporaryFolder folder;
    caffe::NetParameter net;
    REQUIRE(net.ParseFromString(read_bytes(folder_of_data / "old.caffemodel")));
    layer(net, "prob").set_type(caffe::V1LayerParameter::RELU);
    write_bytes(folder / "relu", net.SerializeAsString());
    const auto report = import_model(folder / "relu", folder / "model", with_formats());
    CHECK(std::count(report.notes.begin(), report.notes.end(),
                     "prob (ReLU), after the last layer, is left out: the outputs are its inputs") == 1);
}

TEST_CASE("pools of Caffe round sizes up, which is named, unless they say otherwise") {
    const TemporaryFolder folder;
    caffe::NetParameter net;
    REQUIRE(net.ParseFromString(read_bytes(folder_of_data / "old.caffemodel")));
    const auto names_them = [&] {
        write_bytes(folder / "pools", net.SerializeAsString());
        const auto notes = import_model(folder / "pools", folder / "model", with_formats()).notes;
        return std::count(notes.begin(), notes.end(), rounds_up_text) == 1;
    };
    CHECK(names_them());
    for (caffe::V1LayerParameter& each : *net.mutable_layers()) {
        each.mutable_pooling_param()->set_round_mode(caffe::PoolingParameter::FLOOR);
    }
    CHECK(!names_them());
}

TEST_CASE("layers of Caffe that a VGG does not have are refused by name") {
    const std::vector<std::pair<Change, std::string>> cases = {
        {[](auto& net) { layer(net, "relu1_1").set_type(23); },
         "relu1_1 (type 23): expected the layers of a VGG"},
        {[](auto& net) { layer(net, "relu1_1").mutable_relu_param()->set_negative_slope(0.1F); },
         "negative_slope"},
        {[](auto& net) { layer(net, "conv1_1").mutable_convolution_param()->set_pad(0, 0); },
         "conv1_1 (Convolution): pad: expected 1, found 0"},
        {[](auto& net) { layer(net, "conv3_1").mutable_convolution_param()->add_stride(2); },
         "stride: expected 1, found 2"},
        {[](auto& net) { layer(net, "conv3_1").mutable_convolution_param()->set_group(2); },
         "group: expected 1"},
        {[](auto& net) { layer(net, "conv3_1").clear_blobs(); }, "expected 1 blobs of weights, found 0"},
        {[](auto& net) { layer(net, "conv3_1").mutable_blobs(0)->set_num(7); },
         "bytes for the shape (7, 5, 3, 3)"},
        {[](auto& net) { layer(net, "conv3_1").mutable_blobs(0)->set_num(-7); }, "the shape of weights"},
        {[](auto& net) { layer(net, "pool2").mutable_pooling_param()->set_kernel_size(3); },
         "pool2 (Pooling): kernel_size: expected 2, found 3"},
        {[](auto& net) {
             layer(net, "pool2").mutable_pooling_param()->set_pool(caffe::PoolingParameter::AVE);
         },
         "all pools must be of one kind"},
        {[](auto& net) { layer(net, "pool2").set_type(caffe::V1LayerParameter::DROPOUT); },
         "pools after 1, 3, 2, 2, 0"},
        {[](auto& net) { layer(net, "conv4_1").set_bottom(0, "pool2"); },
         "expected to read the output of the layer before it"},
        {[](auto& net) {
             for (const char* const name : {"relu6", "relu7"}) {
                 layer(net, name).set_type(caffe::V1LayerParameter::DROPOUT);
             }
         },
         "fc8 (InnerProduct) behind fc7 (InnerProduct) without a ReLU between"},
    };
    for (const auto& [change, expected] : cases) CHECK(refusal(change) == Containing(expected));
    CHECK(refusal([](auto& net) { net.mutable_layer(3)->set_type("Scale"); }, "new.caffemodel") ==
          Containing("expected a BatchNorm directly before it"));
}

TEST_CASE("a damaged file of Caffe is an error") {
    const std::string content = read_bytes(folder_of_data / "old.caffemodel");
    std::size_t refused = 0;
    constexpr std::size_t step = 499;
    for (std::size_t length = 30; length < content.size(); length += step) {
        foreign_refusal(content.substr(0, length));
        ++refused;
    }
    CHECK(refused > 10);
}

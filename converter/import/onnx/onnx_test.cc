// Networks of testdata/make_onnx.py give what ONNX Runtime computes, and others are refused.
#include "converter/import/onnx/onnx.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include "converter/export/onnx_file.h"
#include "converter/import/testing/foreign.h"
#include "converter/onnx/onnx.pb.h"
#include "converter/quantize/quantize.h"
#include "engine/model/model_file.h"
#include "engine/testing/narrow_model.h"

namespace {

using vgg19::converter::DenseType;
using vgg19::converter::export_onnx;
using vgg19::converter::import_model;
using vgg19::converter::ImportReport;
using vgg19::converter::quantize_dense;
using vgg19::converter::testing::check_output;
using vgg19::converter::testing::foreign_refusal;
using vgg19::converter::testing::output_of;
using vgg19::converter::testing::read_bytes;
using vgg19::converter::testing::softmax;
using vgg19::converter::testing::waves;
using vgg19::converter::testing::with_formats;
using vgg19::converter::testing::write_bytes;
using vgg19::model::ModelFile;
using vgg19::model::Network;
using vgg19::testing::Containing;
using vgg19::testing::TemporaryFolder;
using vgg19::testing::write_random_model;
namespace onnx = vgg19::onnx;

const std::filesystem::path folder_of_data = std::filesystem::path(VGG19_IMPORT_TESTDATA) / "onnx";

bool has_note(const ImportReport& report, const std::string& part) {
    for (const std::string& note : report.notes) {
        if (note.find(part) != std::string::npos) return true;
    }
    return false;
}

/// The file's model after a change.
std::string changed(const std::string& file, const std::function<void(onnx::ModelProto&)>& change) {
    onnx::ModelProto model;
    REQUIRE(model.ParseFromString(read_bytes(folder_of_data / file)));
    change(model);
    return model.SerializeAsString();
}

onnx::NodeProto& node(onnx::ModelProto& model, const std::string& type, int count = 0) {
    for (onnx::NodeProto& each : *model.mutable_graph()->mutable_node()) {
        if (each.op_type() == type && count-- == 0) return each;
    }
    FAIL("no such node");
    return *model.mutable_graph()->mutable_node(0);
}

void set_integers(onnx::NodeProto& node, const std::string& name,
                  std::initializer_list<std::int64_t> values) {
    for (onnx::AttributeProto& attribute : *node.mutable_attribute()) {
        if (attribute.name() == name) attribute.clear_name();
    }
    onnx::AttributeProto& attribute = *node.add_attribute();
    attribute.set_name(name);
    for (const std::int64_t value : values) attribute.add_ints(value);
    if (values.size() == 1) attribute.set_i(*values.begin());
}

void set_word(onnx::NodeProto& node, const std::string& name, const std::string& value) {
    onnx::AttributeProto& attribute = *node.add_attribute();
    attribute.set_name(name);
    attribute.set_s(value);
}

using Change = std::function<void(onnx::ModelProto&)>;

std::string refusal(const Change& change, const std::string& file = "zoo.onnx") {
    return foreign_refusal(changed(file, change));
}

}  // namespace

TEST_CASE("networks of ONNX compute what ONNX Runtime computes") {
    const TemporaryFolder folder;
    for (const std::string name :
         {"old_exporter", "old_exporter_bn", "new_exporter_bn", "zoo", "zoo_bn", "products", "features"}) {
        CAPTURE(name);
        import_model(folder_of_data / (name + ".onnx"), folder / "model", with_formats());
        const std::size_t size = name == "old_exporter" ? 224 : 32;
        std::vector<float> output = output_of(folder / "model", waves(size), size);
        if (name == "products") output = softmax(output);
        check_output(output, folder_of_data / "expected.safetensors", name);
    }
}

TEST_CASE("what an ONNX graph says beyond its weights is used or told") {
    const TemporaryFolder folder;
    const ImportReport report =
        import_model(folder_of_data / "products.onnx", folder / "model", with_formats());
    CHECK(has_note(report, "average pools"));
    CHECK(has_note(report, "probabilities (Softmax), after the last layer, is left out"));
    CHECK(has_note(report, "convolutions conv0 to conv19, dense layers dense0 to dense2"));
    const ModelFile model = ModelFile::open(folder / "model");
    CHECK(model.description().pooling == vgg19::Pooling::average);
    CHECK(model.description().preprocessing.input_size == vgg19::MapSize(32));

    import_model(folder_of_data / "features.onnx", folder / "model", with_formats());
    CHECK(ModelFile::open(folder / "model").network().features() ==
          std::vector<std::size_t>{4, 4, 0, 5, 5, 0, 6, 6});

    // An input of 64 × 64 pixels whose map a pool averages.
    write_bytes(folder / "large", changed("zoo.onnx", [](onnx::ModelProto& changing) {
                    auto& shape = *changing.mutable_graph()
                                       ->mutable_input(0)
                                       ->mutable_type()
                                       ->mutable_tensor_type()
                                       ->mutable_shape();
                    shape.mutable_dim(2)->set_dim_value(64);
                    shape.mutable_dim(3)->set_dim_value(64);
                    onnx::NodeProto& flatten = node(changing, "Flatten");
                    flatten.set_op_type("AveragePool");
                    set_integers(flatten, "kernel_shape", {2, 2});
                    set_integers(flatten, "strides", {2, 2});
                }));
    import_model(folder / "large", folder / "model", with_formats());
    CHECK(ModelFile::open(folder / "model").description().preprocessing.input_size == vgg19::MapSize(64));
}

TEST_CASE("a ReLU behind the last layer of ONNX is left out and named") {
    const TemporaryFolder folder;
    write_bytes(folder / "relu", changed("zoo.onnx", [](onnx::ModelProto& changing) {
                    onnx::GraphProto& graph = *changing.mutable_graph();
                    onnx::NodeProto& relu = *graph.add_node();
                    relu.set_op_type("Relu");
                    relu.set_name("last_relu");
                    relu.add_input(graph.output(0).name());
                    relu.add_output("activated");
                    graph.mutable_output(0)->set_name("activated");
                }));
    const ImportReport report = import_model(folder / "relu", folder / "model", with_formats());
    CHECK(has_note(report, "last_relu (Relu), after the last layer, is left out"));
    check_output(output_of(folder / "model", waves(32), 32), folder_of_data / "expected.safetensors", "zoo");
    CHECK(!has_note(import_model(folder_of_data / "zoo.onnx", folder / "model", with_formats()), "Relu"));
    CHECK(
        !has_note(import_model(folder_of_data / "features.onnx", folder / "model", with_formats()), "Relu"));
}

TEST_CASE("pools of ONNX that round sizes up are named") {
    const TemporaryFolder folder;
    write_bytes(folder / "ceil", changed("zoo.onnx", [](onnx::ModelProto& changing) {
                    set_integers(node(changing, "MaxPool", 2), "ceil_mode", {1});
                }));
    CHECK(has_note(import_model(folder / "ceil", folder / "model", with_formats()), "pools that round"));
    CHECK(!has_note(import_model(folder_of_data / "zoo.onnx", folder / "model", with_formats()),
                    "pools that round"));
}

TEST_CASE("layers that a VGG does not have are refused by name") {
    const std::vector<std::pair<Change, std::string>> cases = {
        {[](auto& model) { node(model, "Relu").set_op_type("LeakyRelu"); },
         "vgg0_relu0_fwd (LeakyRelu): expected"},
        {[](auto& model) {
             set_integers(node(model, "Conv", 2), "strides", {2, 2});
         },
         "vgg0_conv2_fwd (Conv): strides: expected (1, 1), found (2, 2)"},
        {[](auto& model) {
             set_integers(node(model, "Conv"), "pads", {0, 0, 0, 0});
         },
         "with padding 0"},
        {[](auto& model) {
             set_integers(node(model, "Conv"), "dilations", {2, 2});
         },
         "dilations: expected (1, 1)"},
        {[](auto& model) { set_word(node(model, "Conv"), "auto_pad", "SAME_UPPER"); },
         "vgg0_conv0_fwd (Conv): expected either auto_pad or pads, found both, auto_pad SAME_UPPER and pads "
         "(1, 1, 1, 1)"},
        {[](auto& model) { set_word(node(model, "MaxPool"), "auto_pad", "VALID"); },
         "vgg0_pool0_fwd (MaxPool): expected either auto_pad or pads"},
        {[](auto& model) { set_word(node(model, "MaxPool"), "auto_pad", "SOME"); },
         "auto_pad: expected NOTSET, SAME_UPPER, SAME_LOWER or VALID, found SOME"},
        {[](auto& model) { node(model, "Relu").set_domain("com.example"); },
         "vgg0_relu0_fwd (Relu): expected one of ONNX's own operators, found one of the domain com.example"},
        {[](auto& model) { model.mutable_opset_import(0)->set_version(999); },
         "expected ONNX's operators (opset) of version 1 to 28, found 999"},
        {[](auto& model) { set_integers(node(model, "Conv"), "group", {2}); }, "expected 1 group, found 2"},
        {[](auto& model) {
             set_integers(node(model, "MaxPool"), "kernel_shape", {3, 3});
         },
         "vgg0_pool0_fwd (MaxPool): kernel_shape: expected (2, 2), found (3, 3)"},
        {[](auto& model) {
             set_integers(node(model, "MaxPool"), "pads", {1, 1, 1, 1});
         },
         "pads: expected"},
        {[](auto& model) { node(model, "MaxPool").set_op_type("AveragePool"); },
         "all pools must be of one kind"},
        {[](auto& model) { node(model, "MaxPool").set_op_type("Identity"); },
         "pools after 4, 4, 4, 4, 0 convolutions"},
        {[](auto& model) { node(model, "Relu", 3).set_op_type("Identity"); }, "where its ReLU should be"},
        {[](auto& model) {
             node(model, "Relu", 16).set_op_type("Identity");
             node(model, "Relu", 16).set_op_type("Identity");
         },
         "behind vgg0_dense1_fwd (Gemm) without a ReLU between"},
        {[](auto& model) { node(model, "Gemm").set_op_type("Softmax"); },
         "vgg0_dense0_fwd (Softmax) before other layers"},
        {[](auto& model) { set_integers(node(model, "Gemm"), "transA", {1}); }, "transA: expected 0"},
        {[](auto& model) { node(model, "Gemm").mutable_attribute(0)->set_f(2); },
         "alpha: expected 1, found 2"},
        {[](auto& model) { node(model, "Conv").set_input(1, "elsewhere"); }, "elsewhere, which is computed"},
        {[](auto& model) { node(model, "Conv", 1).set_input(0, "data"); }, "beside the layer before it"},
        {[](auto& model) { model.mutable_graph()->mutable_output(0)->set_name("other"); },
         "among the graph's outputs"},
        {[](auto& model) { model.mutable_graph()->clear_initializer(); }, "expected a graph with one input"},
        {[](auto& model) { model.mutable_graph()->mutable_initializer(0)->set_data_type(3); }, "found int8"},
        {[](auto& model) { model.mutable_graph()->mutable_initializer(0)->set_dims(0, 5); },
         "bytes for the shape (5, 3, 3, 3), found 432"},
        {[](auto& model) { model.mutable_graph()->mutable_initializer(0)->set_dims(0, -1); },
         "the shape of weights"},
        {[](auto& model) { model.mutable_graph()->mutable_initializer(0)->set_dims(0, INT64_MAX); },
         "the shape of weights"},
    };
    for (const auto& [change, expected] : cases) CHECK(refusal(change) == Containing(expected));
    CHECK(refusal(
              [](auto& model) {
                  set_integers(node(model, "ReduceMean"), "axes", {1, 2});
              },
              "products.onnx") == Containing("axes: expected (2, 3), found (1, 2)"));
    CHECK(refusal([](auto& model) { node(model, "Cast").set_op_type("DequantizeLinear"); },
                  "products.onnx") == Containing("quantised"));
}

TEST_CASE("an ONNX file may only name weights beside it") {
    const TemporaryFolder folder;
    const auto message = [&](const std::string& location, const std::string& offset = "0") {
        write_bytes(folder / "weights", changed("features.onnx", [&](onnx::ModelProto& model) {
                        auto& place = *model.mutable_graph()->mutable_initializer(0)->mutable_external_data();
                        for (auto& entry : place) {
                            if (entry.key() == "location") entry.set_value(location);
                            if (entry.key() == "offset") entry.clear_key();
                        }
                        onnx::StringStringEntryProto& entry = *place.Add();
                        entry.set_key("offset");
                        entry.set_value(offset);
                    }));
        return vgg19::testing::error_of(vgg19::ErrorKind::bad_input, [&] {
            import_model(folder / "weights", folder / "model", with_formats());
        });
    };
    write_bytes(folder / "features.onnx.data", read_bytes(folder_of_data / "features.onnx.data"));
    std::filesystem::create_symlink("/etc/hostname", folder / "link");
    CHECK(message("/etc/hostname") ==
          Containing("expected its elements in a file beside the model or below"));
    CHECK(message("../features.onnx.data") == Containing("in a file beside the model or below"));
    CHECK(message("link") == Containing("a link to /etc/hostname"));
    CHECK(message("missing") == Containing("no such file; keep both together"));
    CHECK(message("") == Containing("in a file beside the model or below"));
    CHECK(message("features.onnx.data", "5000") == Containing("a place behind the file's end"));
    for (const char* const offset : {"-1", "x", "", "1e3"}) {
        CHECK(message("features.onnx.data", offset) ==
              Containing("at an offset and of a length in bytes, found one of them that is no such number"));
    }
    CHECK(message("features.onnx.data", "18446744073709551615") ==
          Containing("a place behind the file's end"));

    // As in a cache of downloads: both are links to files that lie together.
    const TemporaryFolder cache;
    std::filesystem::copy(folder_of_data / "features.onnx", folder / "blob");
    std::filesystem::create_symlink(folder / "blob", cache / "model.onnx");
    std::filesystem::create_symlink(folder / "features.onnx.data", cache / "features.onnx.data");
    import_model(cache / "model.onnx", cache / "model", with_formats());
}

TEST_CASE("a damaged ONNX file is an error at a byte") {
    const std::string content = read_bytes(folder_of_data / "zoo.onnx");
    CHECK(foreign_refusal(content.substr(0, content.size() / 2)) ==
          Containing("one that ends behind its message"));
    std::size_t refused = 0;
    for (std::size_t length = 30; length < content.size(); length += 997) {
        foreign_refusal(content.substr(0, length));
        ++refused;
    }
    CHECK(refused > 20);
}

TEST_CASE("a model in INT4 comes back from ONNX as one that is dequantised") {
    const TemporaryFolder folder;
    vgg19::kernels::testing::Random random;
    write_random_model(folder / "first", Network::parse("6 M 9 M 17 16 M 20 18 M 24 20 M", "30 21 7", 2),
                       random, vgg19::model::DenseOrder::input_major);
    const auto variant_of_returned = [&](DenseType type, bool plain) {
        quantize_dense(ModelFile::open(folder / "first"), folder / "quantised", type);
        export_onnx(ModelFile::open(folder / "quantised"), folder / "exported.onnx",
                    {.input_size = 64, .plain = plain});
        import_model(folder / "exported.onnx", folder / "returned", with_formats());
        return ModelFile::open(folder / "returned").description().variant;
    };
    CHECK(variant_of_returned(DenseType::int4, false) == "int8-dequantized");
    CHECK(variant_of_returned(DenseType::int4, true) == "int8-dequantized");
    CHECK(variant_of_returned(DenseType::int8, true) == "int8-dequantized");
}

TEST_CASE("models that vgg19 exports as ONNX come back") {
    const TemporaryFolder folder;
    vgg19::kernels::testing::Random random;
    const std::string features = "6 M 9 M 17 16 M 20 18 M 24 20";
    const std::vector<Network> networks = {Network::parse(features + " M", "30 21 7", 2),
                                           Network::parse(features + " M", "5:30 21 7", 2),
                                           Network::parse(features + " M", ""), Network::parse(features, "")};
    for (const Network& network : networks) {
        write_random_model(folder / "first", network, random, vgg19::model::DenseOrder::input_major);
        export_onnx(ModelFile::open(folder / "first"), folder / "exported.onnx", {.input_size = 64});
        import_model(folder / "exported.onnx", folder / "returned", with_formats());
        const ModelFile returned = ModelFile::open(folder / "returned");
        CHECK(returned.network() == network);
        CHECK(returned.description().preprocessing.input_size ==
              vgg19::MapSize(32));  // the model's, not the graph's
        const std::vector<float> input = waves(64);
        CHECK(output_of(folder / "returned", input, 64) == output_of(folder / "first", input, 64));
    }
}

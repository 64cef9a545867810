// vgg19 inspect
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "engine/model/description.h"
#include "engine/model/foreign_text.h"
#include "engine/model/json.h"
#include "engine/model/map_size.h"
#include "engine/model/model_access.h"
#include "engine/model/model_file.h"
#include "engine/model/number_text.h"
#include "engine/program/tuned_machine.h"
#include "kernels/schedule/machine.h"
#include "tools/command.h"
#include "tools/plan_text.h"
#include "tools/progress_bar.h"
#include "tools/subcommands.h"
#include "tools/text.h"
#include "vgg19/error.h"
#include "vgg19/model.h"

namespace vgg19::tools {

namespace {

using model::Json;
using model::ModelFile;

struct LayerFacts {
    std::string name;
    std::string weight_name;
    std::vector<std::size_t> weight_shape;
    std::string dtype;
    std::vector<std::size_t> output_shape;  ///< before the pool, if one follows
    std::uint64_t parameters = 0;
    std::uint64_t macs = 0;
    std::uint64_t bytes = 0;  ///< of weight, bias and scales
};

LayerFacts tensor_facts(const ModelFile& file, const std::string& layer, const model::Tensor& weight) {
    const model::Tensor& bias = file.tensor(model::bias_name(layer));
    LayerFacts facts;
    facts.name = layer;
    facts.weight_name = weight.name;
    facts.weight_shape = weight.shape;
    facts.dtype = model::dtype_name(weight.dtype);
    facts.parameters = weight.elements() + bias.elements();
    facts.bytes = weight.bytes.size() + bias.bytes.size();
    if (file.is_int8(layer)) facts.bytes += file.tensor(model::weight_scale_name(layer)).bytes.size();
    return facts;
}

/// For INT4 weights shows the layer's shape, since the tensor's shape is that of its bytes.
LayerFacts dense_facts(const ModelFile& file, const model::DenseLayer& layer) {
    LayerFacts facts = tensor_facts(file, layer.name, file.weight(layer));
    if (file.is_int4(layer.name)) {
        facts.weight_shape = {layer.inputs, layer.outputs};
        facts.dtype = "INT4";
        facts.parameters = std::uint64_t{layer.inputs} * layer.outputs + layer.outputs;
        facts.bytes += file.tensor(model::int4_dense_scale(layer).name).bytes.size();
    }
    facts.output_shape = {layer.outputs};
    facts.macs = model::Network::macs(layer);
    return facts;
}

std::vector<LayerFacts> layer_facts(const ModelFile& file, MapSize input_size) {
    const model::Network& network = file.network();
    std::vector<LayerFacts> layers;
    for (const model::ConvolutionLayer& layer : network.convolutions()) {
        LayerFacts facts = tensor_facts(file, layer.name, file.tensor(model::weight_name(layer.name)));
        const MapSize size = network.map_size(layer, input_size);
        facts.output_shape = {layer.output_channels, size.height, size.width};
        facts.macs = network.macs(layer, input_size);
        layers.push_back(facts);
    }
    for (const model::DenseLayer& layer : network.dense_layers()) {
        layers.push_back(dense_facts(file, layer));
    }
    return layers;
}

template <class Container>
Json array_of(const Container& values) {
    Json array = Json::Array{};
    for (const auto& value : values) array.push(value);
    return array;
}

/// The shortest decimal number: 0.485, not 0.48500001430511475.
double shortest(float value) {
    const std::string text = shortest_text(value);
    double number = value;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

Json array_of(const std::array<float, 3>& channels) {
    Json array = Json::Array{};
    for (const float value : channels) array.push(shortest(value));
    return array;
}

Json preprocessing_json(const Preprocessing& preprocessing) {
    Json json;
    json.set("input_size", model::size_json(preprocessing.input_size));
    json.set("resize_ratio", preprocessing.resize_ratio);
    json.set("interpolation", "antialiased bilinear");
    json.set("mean", array_of(preprocessing.mean));
    json.set("deviation", array_of(preprocessing.deviation));
    json.set("channel_order", model::channel_order_name(preprocessing.channel_order));
    json.set("range", shortest(preprocessing.range));
    return json;
}

Json layer_json(const LayerFacts& layer) {
    Json json;
    json.set("name", layer.name);
    json.set("weight_tensor", layer.weight_name);
    json.set("weight_shape", array_of(layer.weight_shape));
    json.set("dtype", layer.dtype);
    json.set("output_shape", array_of(layer.output_shape));
    json.set("parameters", layer.parameters);
    json.set("macs", layer.macs);
    json.set("bytes", layer.bytes);
    return json;
}

/// The names of the table of microarchitectures.
std::string machine_list() {
    std::string names;
    for (const std::string_view name : kernels::machine_names()) {
        names.append(names.empty() ? "" : ", ").append(name);
    }
    return names;
}

/// A plan, and where its machine's constants come from.
struct ShownPlan {
    Plan plan;
    std::string origin;
};

/// For the microarchitecture or the tuned machine that `machine` names, which need not be this CPU's.
ShownPlan plan_for(const ModelFile& file, const SessionOptions& options, const std::string& machine) {
    std::optional<kernels::Isa> isa = kernels::isa_from_name(options.isa);
    if (!options.isa.empty() && !isa) throw Error(ErrorKind::usage, "--isa: there is no " + options.isa);
    const std::optional<kernels::Isa> best = kernels::best_isa_of(machine);
    if (!best) {
        if (!std::filesystem::exists(machine)) {
            throw Error(ErrorKind::usage, "--machine: expected a file of `vgg19 tune`, or one of " +
                                              machine_list() + "; found \"" + machine + "\"");
        }
        const TunedMachine tuned = read_tuned_machine(machine);
        if (!isa) isa = tuned.isa;
        return {make_plan_for(file, options, *isa, *machine_for(tuned, *isa)),
                tuned.machine.name + " as measured in " + machine};
    }
    if (!isa) isa = best;
    const std::optional<kernels::Machine> of_table = kernels::machine_named(machine, *isa);
    if (!of_table) {
        throw Error(ErrorKind::usage, "--machine: " + machine + " does not have " + kernels::isa_name(*isa) +
                                          ", which --isa asks for");
    }
    return {make_plan_for(file, options, *isa, *of_table), machine + " (another machine)"};
}

ShownPlan plan_here(const ModelFile& file, SessionOptions options, const CommandLine& line) {
    if (line.text("plan").empty() && options.plan_file.empty()) {
        const std::string ignored = find_tuned_machine().ignored;
        if (!ignored.empty()) {
            std::cerr << "vgg19 inspect: not used: " << model::printable_lines(ignored) << '\n';
        }
    }
    if (!options.plan_file.empty()) {
        const int measured = read_tuned_machine(options.plan_file).threads;
        if (options.threads > measured) {
            std::cerr << "vgg19 inspect: " << options.plan_file << " knows " << measured
                      << " threads; for more, the table of microarchitectures is used\n";
            options.plan_file.clear();
        }
    }
    Plan plan = make_plan(file, options);
    const std::string& name = plan.execution.cpu().name;
    std::string origin = options.plan_file.empty() ? name + " (known of CPUs of its kind)"
                                                   : name + " as measured in " + options.plan_file;
    return {std::move(plan), std::move(origin)};
}

bool is_packed(const ModelFile& file) {
    return file.file().mapping().is_unpacked();
}

std::uint64_t plain_bytes(const ModelFile& file) {
    return file.file().mapping().bytes().size();
}

void print_json(const Model& model, MapSize input_size, bool verified, const std::optional<ShownPlan>& plan) {
    const ModelFile& file = model::file_of(model);
    Json network;
    network.set("features", file.network().features_text());
    network.set("classifier", file.network().classifier_text());
    network.set("pooled_side", std::uint64_t{file.network().pooled_side()});
    network.set("pooling", model::pooling_name(model.pooling()));
    Json layers = Json::Array{};
    for (const LayerFacts& layer : layer_facts(file, input_size)) layers.push(layer_json(layer));

    Json json;
    json.set("file", file.path().string());
    json.set("bytes", model.file_bytes());
    if (is_packed(file)) json.set("plain_bytes", plain_bytes(file));
    json.set("variant", model.variant());
    json.set("network", network);
    json.set("classes", std::uint64_t{model.classes()});
    json.set("class_names", array_of(model.class_names()));
    json.set("preprocessing", preprocessing_json(model.preprocessing()));
    json.set("source_sha256", file.description().source_sha256);
    json.set("lineage", array_of(model.lineage()));
    if (verified) json.set("checksums", "verified");
    json.set("input_size", model::size_json(input_size));
    json.set("active_parameters", model.active_parameters());
    json.set("macs", model.macs(input_size));
    json.set("layers", layers);
    if (plan) json.set("plan", plan_json(plan->plan, plan->origin));
    std::cout << json.dump(2) << '\n';
}

/// Prints the first few; `--json` lists all.
void print_class_names(const std::vector<std::string>& names) {
    constexpr std::size_t shown = 10;
    if (names.empty()) return;
    std::cout << "class names    ";
    for (std::size_t i = 0; i < std::min(names.size(), shown); ++i) {
        std::cout << (i == 0 ? "" : ", ") << model::printable(names[i]);
    }
    if (names.size() > shown) std::cout << ", … and " << grouped(names.size() - shown) << " more";
    std::cout << '\n';
}

void print_lineage(const std::vector<std::string>& lineage) {
    constexpr std::size_t longest_step = 1000;
    const char* heading = "lineage        ";
    for (const std::string& step : lineage) {
        std::cout << heading << model::printable(step, longest_step) << '\n';
        heading = "               ";
    }
}

std::string dense_order_text(const ModelFile& file) {
    std::size_t input_major = 0;
    for (const model::DenseLayer& layer : file.network().dense_layers()) {
        if (file.order(layer) == model::DenseOrder::input_major) ++input_major;
    }
    if (input_major == 0) return "output-major weights, as in PyTorch";
    if (input_major == file.network().dense_layers().size()) return "input-major weights";
    return "weights in both orders";
}

std::string dense_layers_text(const ModelFile& file) {
    const model::Network& network = file.network();
    if (!network.has_classifier()) return "none: features alone, without classes";
    const std::size_t side = network.pooled_side();
    return network.classifier_text() + ", on " + joined(std::vector<std::size_t>{side, side}, "×") +
           " pixels; " + dense_order_text(file);
}

void print_preprocessing(const Preprocessing& preprocessing) {
    std::cout << "preprocessing  " << model::pixels_text(preprocessing.input_size) << ", resized to cover "
              << fixed(preprocessing.resize_ratio, 4) << " times that, antialiased bilinear; "
              << model::channel_order_name(preprocessing.channel_order) << " from 0 to "
              << preprocessing.range << ", mean";
    for (const float mean : preprocessing.mean) std::cout << ' ' << mean;
    std::cout << ", deviation";
    for (const float deviation : preprocessing.deviation) std::cout << ' ' << deviation;
    std::cout << '\n';
}

void print_text(const Model& model, MapSize input_size, bool verified) {
    const ModelFile& file = model::file_of(model);
    std::cout << "file           " << file.path().string() << ", " << megabytes(model.file_bytes())
              << (is_packed(file) ? ", packed; " + megabytes(plain_bytes(file)) + " plain" : "") << '\n'
              << "variant        " << model::printable(model.variant()) << '\n'
              << "convolutions   " << file.network().features_text() << '\n'
              << "dense layers   " << dense_layers_text(file) << '\n'
              << "pools          " << model::pooling_name(model.pooling()) << '\n';
    print_class_names(model.class_names());
    print_preprocessing(model.preprocessing());
    std::cout << "source SHA-256 " << model::printable(file.description().source_sha256) << '\n';
    print_lineage(model.lineage());
    if (verified) std::cout << "checksums      all tensors agree\n";

    Table table({"layer", "weight", "type", "output at " + model::pixels_text(input_size), "parameters",
                 "MACs", "bytes"});
    std::uint64_t tensor_bytes = 0;
    for (const LayerFacts& layer : layer_facts(file, input_size)) {
        table.add({layer.name, joined(layer.weight_shape, "×"), layer.dtype, joined(layer.output_shape, "×"),
                   grouped(layer.parameters), scaled(layer.macs), grouped(layer.bytes)});
        tensor_bytes += layer.bytes;
    }
    table.add_total({"in all", "", "", "", grouped(model.active_parameters()), scaled(model.macs(input_size)),
                     grouped(tensor_bytes)});
    std::cout << '\n' << table;
}

}  // namespace

int inspect(int argc, char** argv) {
    CommandLine line("inspect", "Shows the contents of a model file.", "MODEL");
    add_size_option(line);
    add_cpu_options(line);
    add_convolution_option(line);
    line.flag("verify", "compare every tensor with its checksum")
        .flag_with_value(
            "plan", "FILE",
            "show the algorithm that the planner chooses for each convolution, its estimates for the others, "
            "and for each step the expected time, the bytes from each level of memory and the efficiency on "
            "--threads threads, which may be more than this CPU has; --plan=FILE, --plan=none: as --plan of "
            "other commands")
        .option(
            "machine", "NAME",
            "with --plan: show the plan for another CPU: " + machine_list() + ", or a file of `vgg19 tune`")
        .flag("json", "print JSON")
        .example("vgg19 inspect vgg19.safetensors --size 160 --plan")
        .example("vgg19 inspect vgg19.safetensors --plan --threads 64 --machine golden_cove");
    if (!line.parse(argc, argv)) return exit_done;

    const std::filesystem::path path = line.argument("MODEL");
    SessionOptions options = session_options(line);
    const Model model = model::map_model(path);
    if (options.input_size().empty()) options.set_input_size(model.preprocessing().input_size);
    std::optional<ShownPlan> plan;
    if (line.given("machine")) {
        if (!line.given("plan")) throw Error(ErrorKind::usage, "--machine belongs to --plan");
        plan = plan_for(model::file_of(model), options, line.text("machine"));
    } else if (line.given("plan")) {
        plan = plan_here(model::file_of(model), options, line);
    }
    const bool verify = line.given("verify");
    if (verify) {
        ProgressBar bar("verifying", ProgressUnit::bytes);
        model::file_of(model).verify_checksums(bar.callback());
    }
    if (line.given("json")) {
        print_json(model, options.input_size(), verify, plan);
    } else {
        print_text(model, options.input_size(), verify);
        if (plan) print_plan(plan->plan, plan->origin);
    }
    return exit_done;
}

}  // namespace vgg19::tools

#include "tools/prune_limits.h"

#include <iostream>
#include <memory>

#include "converter/quantize/expected_size.h"
#include "engine/model/map_size.h"
#include "engine/program/expected_network.h"
#include "engine/program/tuned_machine.h"
#include "tools/command_line/option_groups.h"
#include "tools/text.h"
#include "vgg19/error.h"

namespace vgg19::tools {

namespace {

using converter::CostLimit;

constexpr const char* limit_options[] = {"target-macs", "target-ms", "target-mb"};
constexpr double milliseconds = 1e3;
constexpr double bytes_of_a_megabyte = 1e6;
constexpr double smallest = 1e-3;
constexpr double most_milliseconds = 1e6;
constexpr double most_megabytes = 1e6;

Arithmetic cost_type(const CommandLine& line) {
    const std::string type = line.text("cost-type");
    if (type == "int8") return Arithmetic::int8;
    if (type == "fp32") return Arithmetic::fp32;
    throw Error(ErrorKind::usage, "--cost-type: expected int8 or fp32, found '" + type + "'");
}

double megabytes(const model::Network& network, Arithmetic type) {
    const double bytes = type == Arithmetic::int8 ? converter::expected_int8_bytes(network)
                                                  : static_cast<double>(network.parameters() * sizeof(float));
    return bytes / bytes_of_a_megabyte;
}

CostLimit time_limit(const CommandLine& line) {
    SessionOptions options;
    options.set_input_size(model::input_size_option("cost-size", line.text("cost-size")));
    options.threads = threads_option(line);
    options.isa = line.text("isa");
    options.plan_file = find_tuned_machine().path.string();
    auto time = std::make_shared<ExpectedNetworkTime>(options, cost_type(line));
    return {"milliseconds", line.number("target-ms", smallest, most_milliseconds),
            [time](const model::Network& pruned) { return time->seconds(pruned) * milliseconds; },
            [time](const model::Network& pruned) { return time->seconds_by_layer(pruned) * milliseconds; }};
}

}  // namespace

void add_limit_options(CommandLine& line) {
    line.option("target-macs", "S",
                "share of the multiply-accumulates at --size that remain, including dense layers; a scan "
                "finds the filters whose removal costs least (needs --calib)")
        .option("target-ms", "MS",
                "likewise, the milliseconds for one image of --cost-size that the pruned network is expected "
                "to take on this CPU (vgg19 inspect --plan) with --threads, after `quantize --scope all`")
        .option("target-mb", "MB",
                "likewise, the size in 10^6 bytes of its file after `quantize --scope all`; of several "
                "targets, all are kept")
        .option("cost-size", "SIZE", "the input size for --target-ms", "224")
        .option("cost-type", "TYPE", "int8, or fp32: --target-ms and --target-mb are those of FP32 weights",
                "int8");
}

bool has_limit(const CommandLine& line) {
    for (const char* option : limit_options) {
        if (line.given(option)) return true;
    }
    return false;
}

void check_limits(const CommandLine& line) {
    if (line.given("target-macs")) line.number("target-macs", 0, 1);
    if (line.given("target-ms")) line.number("target-ms", smallest, most_milliseconds);
    if (line.given("target-mb")) line.number("target-mb", smallest, most_megabytes);
    cost_type(line);
    model::input_size_option("cost-size", line.text("cost-size"));
    if (line.given("cost-size") && !line.given("target-ms")) {
        throw Error(ErrorKind::usage, "--cost-size needs --target-ms");
    }
    if (line.given("cost-type") && !line.given("target-ms") && !line.given("target-mb")) {
        throw Error(ErrorKind::usage, "--cost-type needs --target-ms or --target-mb");
    }
}

std::vector<CostLimit> cost_limits(const CommandLine& line, const model::Network& network,
                                   MapSize input_size) {
    std::vector<CostLimit> limits;
    if (line.given("target-macs")) {
        limits.push_back(converter::mac_limit(network, line.number("target-macs", 0, 1), input_size));
    }
    if (line.given("target-ms")) limits.push_back(time_limit(line));
    if (line.given("target-mb")) {
        limits.push_back(
            {"MB", line.number("target-mb", smallest, most_megabytes),
             [type = cost_type(line)](const model::Network& pruned) { return megabytes(pruned, type); }});
    }
    return limits;
}

void print_costs(const std::vector<CostLimit>& limits, const model::Network& before,
                 const model::Network& after) {
    constexpr int decimals = 3;
    Table table({"expected", "before", "after", "target"});
    for (const CostLimit& limit : limits) {
        table.add({limit.name, fixed(limit.cost(before), decimals), fixed(limit.cost(after), decimals),
                   fixed(limit.most, decimals)});
    }
    std::cout << table << '\n';
}

std::string limits_text(const CommandLine& line) {
    std::string text;
    const auto add = [&](const char* option) {
        if (!line.given(option)) return;
        text += (text.empty() ? "--" : " --") + std::string(option) + " " + line.text(option);
    };
    for (const char* option : limit_options) add(option);
    add("cost-size");
    add("cost-type");
    return text;
}

}  // namespace vgg19::tools

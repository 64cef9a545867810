#include "tools/layer_names.h"

#include <algorithm>

#include "engine/model/model_access.h"
#include "engine/model/model_file.h"
#include "engine/model/output_names.h"
#include "vgg19/error.h"

namespace vgg19::tools {

std::vector<std::string> layer_list(const CommandLine& line, const std::string& option) {
    std::vector<std::string> layers = line.texts(option);
    for (std::string& layer : layers) {  // "relu1_1, fc7" as people write lists
        const auto is_space = [](char letter) { return letter == ' '; };
        layer.erase(layer.begin(), std::find_if_not(layer.begin(), layer.end(), is_space));
        layer.erase(std::find_if_not(layer.rbegin(), layer.rend(), is_space).base(), layer.end());
    }
    std::vector<std::string> sorted = layers;
    std::sort(sorted.begin(), sorted.end());
    const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
    if (twice == sorted.end()) return layers;
    throw Error(ErrorKind::usage, "--" + option + ": '" + *twice + "' stands there twice");
}

std::vector<std::string> last_relus(const Model& model) {
    const model::Network& network = model::file_of(model).network();
    std::vector<std::string> names;
    for (const model::NetworkOutput& output : model::network_outputs(network)) {
        if (output.kind != model::OutputKind::relu) continue;
        const bool is_last = output.layer + 1 == network.convolutions().size();
        if (is_last || network.convolutions()[output.layer].pool_follows) {
            names.push_back(output.names.back());
        }
    }
    return names;
}

}  // namespace vgg19::tools

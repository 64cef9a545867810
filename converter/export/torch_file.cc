#include "converter/export/torch_file.h"

#include <algorithm>
#include <string>
#include <vector>

#include "converter/export/exported_description.h"
#include "converter/export/plain_weights.h"
#include "converter/export/torch_pickle.h"
#include "converter/export/zip_writer.h"
#include "converter/import/exported.h"
#include "engine/model/json.h"
#include "engine/model/replacing_file.h"

namespace vgg19::converter {
namespace {

/// PyTorch puts all files of an archive into one folder; torch.load() passes over those that it does not
/// know.
const std::string folder = "vgg19/";

std::string description_json(const model::ModelFile& model) {
    model::Json json = model::Json::Object();
    for (const auto& [key, value] : exported_description(model, "--torch", WeightType::plain)) {
        json.set(key, value);
    }
    return json.dump(1);
}

void write_archive(const model::ModelFile& model, const std::vector<model::TensorStream>& tensors,
                   ZipWriter& zip) {
    zip.add(folder + "data.pkl", state_dict_pickle(tensors));
    zip.add(folder + "byteorder", "little");
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        zip.begin(folder + "data/" + std::to_string(i), tensors[i].bytes());
        tensors[i].write([&](std::span<const std::byte> piece) { zip.write(piece); });
    }
    zip.add(folder + "version", "3\n");
    zip.add(folder + exported_file, description_json(model));
    zip.finish();
}

}  // namespace

void export_torch(const model::ModelFile& model, const std::filesystem::path& output,
                  const model::Progress& progress) {
    model::require_other_file(model.path(), output);
    const std::vector<model::TensorStream> tensors = plain_weights(model);
    std::uint64_t total = 0;
    for (const model::TensorStream& tensor : tensors) total += tensor.bytes();
    const model::MappedFile& source = model.file().mapping();
    model::reading(source, [&] {
        model::ReplacingFile file(output);
        std::uint64_t done = 0;
        ZipWriter zip([&](std::span<const std::byte> bytes) {
            file.write(bytes);
            done = std::min<std::uint64_t>(done + bytes.size(), total);
            if (progress) progress(done, total);
        });
        write_archive(model, tensors, zip);
        source.require_unchanged();
        file.commit();
    });
}

}  // namespace vgg19::converter

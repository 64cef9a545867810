// What is behind a Model, for the library's own code and this project's programs.
#pragma once

#include <filesystem>
#include <memory>
#include <utility>

#include "engine/model/model_file.h"
#include "vgg19/model.h"

namespace vgg19::model {

struct ModelAccess {
    static const std::shared_ptr<const ModelFile>& file(const Model& model) { return model.file_; }
    static Model of(ModelFile file) { return Model(std::make_shared<const ModelFile>(std::move(file))); }
};

/// The file of a model; it lives as long as the model or a copy of it.
inline const ModelFile& file_of(const Model& model) {
    return *ModelAccess::file(model);
}

/// A model whose file is mapped, for programs that have called catch_faults_of_mappings(), and end soon or
/// can fail: it starts faster than one that Model::open() reads, and shares its memory with other processes;
/// but when the file changes, sessions throw Error (bad_input) from then on.
inline Model map_model(const std::filesystem::path& path) {
    return ModelAccess::of(ModelFile::open(MappedFile::map_when_used(path)));
}

}  // namespace vgg19::model

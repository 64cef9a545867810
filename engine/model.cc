#include "vgg19/model.h"

#include "engine/model/model_file.h"

namespace vgg19 {

Model Model::open(const std::filesystem::path& path) {
    return Model(std::make_shared<const model::ModelFile>(model::ModelFile::open(path)));
}

const std::string& Model::variant() const {
    return file_->description().variant;
}
const std::vector<std::string>& Model::lineage() const {
    return file_->description().lineage;
}
const Preprocessing& Model::preprocessing() const {
    return file_->description().preprocessing;
}
Pooling Model::pooling() const {
    return file_->description().pooling;
}
std::uint64_t Model::file_bytes() const {
    return file_->file_bytes();
}
std::uint64_t Model::active_parameters() const {
    return file_->network().parameters();
}
std::uint64_t Model::macs(MapSize input_size) const {
    return file_->network().macs(input_size);
}
std::size_t Model::classes() const {
    return file_->network().classes();
}
const std::vector<std::string>& Model::class_names() const {
    return file_->description().class_names;
}

}  // namespace vgg19

// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "frontend/onnx/model_importer.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

#include "frontend/onnx/opset6.h"
#include "frontend/onnx/registry.h"
#include "util/log.h"

namespace jitney::onnx {

using ir::Dim;
using ir::Shape;
using proto::GraphProto;
using proto::NodeProto;

ModelImporter::ModelImporter(proto::ModelProto& model, std::optional<std::string> base_directory,
                             const ImportOptions& options, const DataInFile* in_file)
    : model_(model),
      options_(options),
      tensors_(std::move(base_directory), options.max_tensor_bytes, options.max_repeated_bytes, in_file) {}

namespace {

std::map<std::string, std::string> metadata_of(const proto::ModelProto& model, int opset) {
  return {{"producer", fmt::format("{} {}", model.producer_name(), model.producer_version())},
          {"opset", std::to_string(opset)},
          {"ir_version", std::to_string(model.ir_version())}};
}

}  // namespace

Expected<int> ModelImporter::opset_of(const google::protobuf::RepeatedPtrField<proto::OperatorSetIdProto>& imports,
                                      const std::string& where) {
  std::int64_t version = 0;
  for (const auto& import : imports) {
    if (import.domain().empty() || import.domain() == "ai.onnx")
      version = std::max(version, static_cast<std::int64_t>(import.version()));
  }
  // A model of other domains' operators alone needs none: what is wrong with it is said of its first node.
  if (version == 0 && imports.empty()) return user_error("{} names no version of the ONNX operator set", where);
  if (version != 0 && version < kOldestOpset)
    return user_error("{} uses opset {}; {} and newer are supported", where, version, kOldestOpset);
  if (version > kNewestOpset) {
    log_warning("{} uses opset {}, which is newer than this build; operators are taken as in opset {}", where, version,
                kNewestOpset);
  }
  return static_cast<int>(std::min<std::int64_t>(version, 1'000'000));
}

Status ModelImporter::add_functions() {
  for (const auto& function : model_.functions()) {
    if (!functions_.emplace(FunctionKey{function.domain(), function.name(), function.overload()}, &function).second) {
      return user_error("function '{}' of domain '{}' is defined twice", function.name(), function.domain());
    }
    tensors_.allow_repeated(function.ByteSizeLong());
  }
  return {};
}

Expected<Dim> ModelImporter::extent_of(const proto::TensorShapeProto::Dimension& dim, const std::string& input,
                                       int axis) {
  if (dim.has_dim_value() && dim.dim_value() != -1) {
    if (dim.dim_value() < 0)
      return user_error("input '{}' has the extent {} on axis {}; extents must be 0 or more", input, dim.dim_value(),
                        axis);
    return Dim(dim.dim_value());
  }
  const bool named = dim.has_dim_param() && !dim.dim_param().empty();
  if (named && options_.has_expressions) {
    JITNEY_TRY(Dim extent, Dim::parse(dim.dim_param()));
    std::set<std::string> symbols;
    extent.collect_symbols(symbols);
    for (const std::string& symbol : symbols) {
      const auto range = options_.extents.find(symbol);
      builder_.graph.symbols.emplace(symbol, range == options_.extents.end()
                                                 ? ir::SymbolInfo{}
                                                 : ir::SymbolInfo{range->second.first, range->second.second});
    }
    return extent;
  }
  const std::string param = named ? dim.dim_param() : fmt::format("{}.d{}", input, axis);
  // An unknown extent is no other's equal, even if somebody's dim_param looks like the name it gets here.
  const std::string key = (named ? "=" : "?") + param;
  if (const auto found = symbol_of_param_.find(key); found != symbol_of_param_.end()) return Dim::symbol(found->second);
  std::string symbol = param;
  for (char& c : symbol) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_' && c != '.' && c != ':') c = '_';
  }
  if (std::isalpha(static_cast<unsigned char>(symbol.front())) == 0 && symbol.front() != '_') symbol.insert(0, 1, '_');
  while (builder_.graph.symbols.contains(symbol)) symbol += '_';
  symbol_of_param_.emplace(key, symbol);
  builder_.graph.symbols.emplace(symbol, ir::SymbolInfo{});
  return Dim::symbol(symbol);
}

Status ModelImporter::add_input(const proto::ValueInfoProto& input, Scope& scope) {
  const std::string what = fmt::format("input '{}'", input.name());
  if (input.name().empty()) return user_error("the model has an input without a name");
  JITNEY_TRY(const DeclaredType declared, declared_type(input.type(), what));
  if (options_.given != nullptr) {
    if (const auto given = options_.given->find(input.name()); given != options_.given->end())
      return add_given(input, given->second, scope);
  }
  if (declared.kind != ValueKind::tensor || declared.is_optional) {
    builder_.set_open(Open::outputs);
    return user_error("{} is {}, whose structure only a run tells", what,
                      declared.kind == ValueKind::sequence ? "a sequence" : "an optional");
  }
  const auto& type = *declared.tensor;
  JITNEY_TRY(const DType dtype, to_dtype(type.elem_type(), what));
  if (!type.has_shape()) return user_error("{} declares no rank", what);
  Shape shape;
  for (int axis = 0; axis < type.shape().dim_size(); ++axis) {
    JITNEY_TRY(Dim extent, extent_of(type.shape().dim(axis), input.name(), axis));
    shape.push_back(std::move(extent));
  }
  if (!scope.values.emplace(input.name(), add_tensor(input.name(), dtype, std::move(shape))).second)
    return user_error("{} is defined twice", what);
  return {};
}

Expected<Tensor> ModelImporter::read_initializer(const proto::TensorProto& initializer, const std::string& what) {
  const Tensor* given = nullptr;
  if (options_.weights != nullptr) {
    const auto found = options_.weights->find(initializer.name());
    if (found != options_.weights->end()) given = &found->second;
  }
  if (given == nullptr) return tensors_.read(initializer, what);
  ++weights_used_;
  JITNEY_TRY(const DType dtype, to_dtype(initializer.data_type(), what));
  if (given->dtype() != dtype)
    return user_error("{} is {} in the model, and {} among the weights", what, to_string(dtype),
                      to_string(given->dtype()));
  if (!std::equal(given->shape().begin(), given->shape().end(), initializer.dims().begin(), initializer.dims().end()))
    return user_error("{} has shape [{}] in the model, and [{}] among the weights", what,
                      fmt::join(initializer.dims(), ", "), fmt::join(given->shape(), ", "));
  return *given;
}

Status ModelImporter::add_initializers(const GraphProto& graph, Scope& scope) {
  if (graph.sparse_initializer_size() > 0) {
    return user_error("initializer '{}' is sparse, which is not supported",
                      graph.sparse_initializer(0).values().name());
  }
  for (int i = 0; i < graph.initializer_size(); ++i) {
    const proto::TensorProto& initializer = graph.initializer(i);
    const std::string what = fmt::format("initializer '{}'", initializer.name());
    if (initializer.name().empty()) return user_error("the model has an initializer without a name");
    std::shared_ptr<const Tensor> tensor;
    if (scope.is_model) {
      JITNEY_TRY(Tensor read, read_initializer(initializer, what));
      tensor = std::make_shared<const Tensor>(std::move(read));
      // The weights need not be in memory twice. Subgraphs stay as they are: they may be written out again.
      auto& own = *model_.mutable_graph()->mutable_initializer(i);
      own.clear_raw_data();
      own.clear_float_data();
    } else {
      JITNEY_TRY(tensor, tensors_.once(&initializer, what, [&] { return read_initializer(initializer, what); }));
    }
    if (!scope.values.emplace(initializer.name(), make_constant(initializer.name(), std::move(tensor))).second) {
      return user_error("{} is defined twice", what);
    }
  }
  if (scope.is_model && options_.weights != nullptr && weights_used_ != options_.weights->size()) {
    for (const auto& [name, tensor] : *options_.weights)
      if (!scope.values.contains(name)) return user_error("weight '{}' is no initializer of the model", name);
  }
  return {};
}

Status ModelImporter::add_outputs(const GraphProto& graph, const Scope& scope) {
  if (graph.output_size() == 0) return user_error("the model has no outputs");
  // Of each output: "-" for a tensor, how many for a sequence, whose tensors are outputs of their own.
  std::string structure;
  bool has_sequence = false;
  for (const auto& output : graph.output()) {
    const ModelValuePtr* value = scope.find(output.name());
    if (value == nullptr)
      return user_error("output '{}' is not defined by any input, initializer or node", output.name());
    if (*value != nullptr && (*value)->is_none) {
      builder_.set_open(Open::outputs);
      if (options_.given == nullptr) return user_error("output '{}' is an optional that holds nothing", output.name());
      structure += " ~";
      has_sequence = true;
      continue;
    }
    builder_.begin_node(output.name(), output.name());
    if (const auto& items = (*value)->sequence) {
      if (items->empty() && options_.given == nullptr) {
        builder_.set_open(Open::outputs);
        return user_error("output '{}' is an empty sequence", output.name());
      }
      for (std::size_t i = 0; i < items->size(); ++i)
        builder_.add_output(builder_.materialize(*(*items)[i]), fmt::format("{}.{}", output.name(), i));
      structure += fmt::format(" {}", items->size());
      has_sequence = true;
    } else {
      builder_.add_output(builder_.materialize(**value), output.name());
      structure += " -";
    }
    JITNEY_CHECK(builder_.status());
  }
  if (has_sequence) builder_.graph.metadata["sequence_outputs"] = structure.substr(1);
  return builder_.settle_guards();
}

Expected<ir::Graph> ModelImporter::run() {
  auto graph = import_graph();
  if (options_.open != nullptr) *options_.open = graph ? Open::no : builder_.open();
  return graph;
}

Expected<Declared> ModelImporter::look() {
  JITNEY_TRY(const int opset, opset_of(model_.opset_import(), "the model"));
  JITNEY_CHECK(add_functions());
  JITNEY_CHECK(check_operators());
  JITNEY_TRY(Declared declared, declared_of(model_));
  declared.metadata = metadata_of(model_, opset);
  return declared;
}

Expected<ir::Graph> ModelImporter::import_graph() {
  if (!model_.has_graph()) return user_error("the file is not an ONNX model, or its graph is missing");
  Scope scope;
  scope.is_model = true;
  JITNEY_TRY(scope.opset, opset_of(model_.opset_import(), "the model"));
  GraphProto& graph = *model_.mutable_graph();
  builder_.graph.name = graph.name();
  builder_.graph.metadata = metadata_of(model_, scope.opset);
  JITNEY_CHECK(add_functions());
  JITNEY_CHECK(add_initializers(graph, scope));
  // The model's own names come first: values that the importer makes take what is left.
  for (const auto& node : graph.node()) {
    for (const std::string& output : node.output()) builder_.reserve(output);
  }
  for (const auto& input : graph.input()) {
    // Old models list initializers among the inputs: those are constants.
    if (const auto found = scope.values.find(input.name());
        found != scope.values.end() && found->second->constant != nullptr)
      continue;
    JITNEY_CHECK(add_input(input, scope));
  }
  JITNEY_CHECK(import_nodes(graph.node(), scope));
  JITNEY_CHECK(add_outputs(graph, scope));
  return std::move(builder_.graph);
}

Status ModelImporter::import_nodes(const Nodes& nodes, Scope& scope) {
  nodes_imported_ += static_cast<std::size_t>(nodes.size());
  if (nodes_imported_ > options_.max_nodes)
    return user_error("the model has more than {} nodes, functions inlined", options_.max_nodes);
  JITNEY_TRY(const auto order,
             execution_order(nodes, [&](const std::string& name) { return scope.find(name) != nullptr; }));
  for (const int i : order) JITNEY_CHECK(import_node(nodes.Get(i), scope));
  return {};
}

Status ModelImporter::import_node(const NodeProto& node, Scope& scope) {
  if (!scope.is_model) {  // names are made anew for each round and each call
    std::size_t bytes = scope.prefix.size() + node.name().size();
    for (const std::string& output : node.output()) bytes += scope.prefix.size() + output.size();
    JITNEY_CHECK(tensors_.charge_repeated(bytes, "the names of nodes"));
  }
  std::vector<ModelValuePtr> inputs;
  for (const std::string& name : node.input()) inputs.push_back(name.empty() ? nullptr : *scope.find(name));
  const bool standard = node.domain().empty() || node.domain() == "ai.onnx";
  const auto function = functions_.find({node.domain(), node.op_type(), node.overload()});
  if (function != functions_.end()) return inline_function(*function->second, node, scope, inputs);
  if (!standard) {
    return user_error("operator '{}' of domain '{}' at node '{}' is not supported", node.op_type(), node.domain(),
                      scope.prefix + name_of(node));
  }
  const std::string stem = scope.prefix + (node.output_size() > 0 ? node.output(0) : node.op_type());
  builder_.begin_node(scope.prefix + name_of(node), stem);
  if (node.op_type() == "If" || node.op_type() == "Scan") {
    for (const ModelValuePtr& input : inputs) {
      if (input != nullptr && (input->sequence || input->is_none))
        return user_error("operator '{}' at node '{}' takes tensors, and '{}' is a sequence or an optional",
                          node.op_type(), builder_.node_name(), input->name);
    }
  }
  if (node.op_type() == "If") return import_if(node, scope, inputs);
  if (node.op_type() == "Loop") return import_loop(node, scope, inputs);
  if (node.op_type() == "Scan") return import_scan(node, scope, inputs);
  if (node.op_type() == "SequenceMap") return import_sequence_map(node, scope, inputs);
  JITNEY_TRY(const bool is_chosen, import_choices(node, scope, inputs));
  if (is_chosen) return {};
  return import_operator(node, scope, std::move(inputs));
}

Status ModelImporter::import_operator(const NodeProto& node, Scope& scope, std::vector<ModelValuePtr> inputs) {
  const std::string& name = builder_.node_name();
  if (scope.opset == 0)
    return user_error("the model names no version of the ONNX operator set, which '{}' needs", name);
  const OperatorRow* row = find_operator(node.op_type());
  if (row == nullptr)
    return user_error("operator '{}' (opset {}) at node '{}' is not supported", node.op_type(), scope.opset, name);
  if (scope.opset < row->since) {
    return user_error("operator '{}' at node '{}' exists from opset {} on; the model declares {}", node.op_type(), name,
                      row->since, scope.opset);
  }
  if (node.output_size() == 0) return user_error("operator '{}' at node '{}' has no outputs", node.op_type(), name);
  while (!inputs.empty() && inputs.back() == nullptr) inputs.pop_back();
  const int count = static_cast<int>(inputs.size());
  const bool too_many = row->max_inputs != kAnyNumber && count > row->max_inputs;
  const bool missing = count < row->min_inputs || std::find(inputs.begin(), inputs.begin() + row->min_inputs,
                                                            nullptr) != inputs.begin() + row->min_inputs;
  if (too_many || missing) {
    return user_error("operator '{}' at node '{}' has {} inputs; it takes {} to {}", node.op_type(), name, count,
                      row->min_inputs, row->max_inputs == kAnyNumber ? "any number" : std::to_string(row->max_inputs));
  }
  for (const ModelValuePtr& input : inputs) {
    const bool is_tensor = input == nullptr || (!input->sequence && !input->is_none);
    if (!is_tensor && !takes_sequences(*row) && node.op_type() != "Identity")
      return user_error("operator '{}' at node '{}' takes tensors, and '{}' is {}", node.op_type(), name, input->name,
                        input->is_none ? "an optional that holds nothing" : "a sequence");
  }
  NodeContext context(builder_, tensors_, node, scope.opset, std::move(inputs));
  if (scope.opset < 7) JITNEY_CHECK(adapt_to_opset_7(context));
  JITNEY_CHECK(context.finish(row->convert(context)));
  for (int i = 0; i < node.output_size(); ++i) {
    const ModelValuePtr& value = context.outputs()[static_cast<std::size_t>(i)];
    if (value == nullptr) continue;
    const std::string full_name = scope.prefix + node.output(i);
    if (!scope.is_model && value->known && value->constant == nullptr)  // it may become a constant of this round alone
      JITNEY_CHECK(tensors_.charge_repeated(value->known->values.size() * sizeof(std::int64_t),
                                            fmt::format("the elements of '{}'", full_name)));
    if (value->id == ir::kNoValue && value->name == node.output(i)) value->name = full_name;
    builder_.rename(value->id, full_name);
    scope.values[node.output(i)] = value;
  }
  return {};
}

}  // namespace jitney::onnx

/** Values across the border: JavaScript arguments in, results and errors out. */
#include <cmath>

#include "env.h"

namespace kbtop {

namespace {

/** Calls `each(key, value)` for the own properties of an optional record. */
template <typename F>
void each_property(const Napi::Object& options, const char* field, F&& each) {
  const Napi::Value value = options.Get(field);
  if (value.IsUndefined()) return;
  if (!value.IsObject()) throw argument_failure(std::string("options.") + field + " must be an object");
  const Napi::Object record = value.As<Napi::Object>();
  const Napi::Array keys = record.GetPropertyNames();
  for (uint32_t i = 0; i < keys.Length(); i++) {
    const std::string key = keys.Get(i).ToString();
    const Napi::Value one = record.Get(key);
    if (!one.IsUndefined()) each(key, one);
  }
}

double integer_argument(const Napi::Value& value, double low, double high, const std::string& what) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : NAN;
  if (!(number >= low && number <= high) || number != std::floor(number)) {
    throw argument_failure(what + " must be an integer from " + std::to_string(static_cast<int64_t>(low)) + " to " +
                           std::to_string(static_cast<int64_t>(high)));
  }
  return number;
}

}  // namespace

Napi::Error bpf_error(Napi::Env env, const Failure& failure) {
  Napi::Error error = Napi::Error::New(env, failure.message);
  const Napi::Object value = error.Value();
  const auto set = [&](const char* name, const Napi::Value& v) {
    value.DefineProperty(Napi::PropertyDescriptor::Value(name, v, napi_default_jsproperty));
  };
  value.DefineProperty(Napi::PropertyDescriptor::Value(
      "name", Napi::String::New(env, "BpfError"), static_cast<napi_property_attributes>(napi_writable | napi_configurable)));
  set("code", Napi::String::New(env, failure.code));
  set("errno", Napi::Number::New(env, failure.number));
  set("libbpfLog", Napi::String::New(env, failure.logs.libbpf));
  set("verifierLog", Napi::String::New(env, failure.logs.verifier));
  return error;
}

Bytes bytes_argument(const Napi::Value& value, const char* what) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    throw argument_failure(std::string(what) + " must be a Uint8Array");
  }
  const auto array = value.As<Napi::Uint8Array>();
  return {array.Data(), array.ByteLength()};
}

std::string string_argument(const Napi::Value& value, const char* what) {
  if (!value.IsString()) throw argument_failure(std::string(what) + " must be a string");
  return value.As<Napi::String>();
}

std::vector<std::string> names_argument(const Napi::Value& value, const char* what) {
  std::vector<std::string> names;
  if (value.IsUndefined()) return names;
  if (!value.IsArray()) throw argument_failure(std::string(what) + " must be an array of names");
  const auto array = value.As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); i++) names.push_back(string_argument(array.Get(i), what));
  return names;
}

GlobalValue global_argument(const Napi::Value& value, const std::string& name) {
  if (value.IsBoolean()) return Integer{false, value.As<Napi::Boolean>().Value() ? 1u : 0u};
  if (value.IsNumber()) {
    constexpr double kSafe = 9007199254740991.0;
    const double number = integer_argument(value, -kSafe, kSafe, "value of " + name);
    return Integer{number < 0, static_cast<uint64_t>(static_cast<int64_t>(number))};
  }
  if (value.IsBigInt()) {
    auto big = value.As<Napi::BigInt>();
    int sign = 0;
    size_t words = 1;
    uint64_t magnitude = 0;
    big.ToWords(&sign, &words, &magnitude);
    if (words > 1 || (sign && magnitude > uint64_t{1} << 63)) throw argument_failure("value of " + name + " has more than 64 bits");
    return Integer{sign != 0 && magnitude != 0, sign ? ~magnitude + 1 : magnitude};
  }
  if (value.IsTypedArray()) {
    const Bytes bytes = bytes_argument(value, ("value of " + name).c_str());
    return std::vector<uint8_t>(bytes.data, bytes.data + bytes.size);
  }
  throw argument_failure("value of " + name + " must be a number, bigint, boolean or Uint8Array");
}

OpenConfig options_argument(const Napi::Value& value, std::string name) {
  OpenConfig config;
  config.name = std::move(name);
  if (value.IsUndefined()) return config;
  if (!value.IsObject()) throw argument_failure("options must be an object");
  const auto options = value.As<Napi::Object>();
  if (const Napi::Value given = options.Get("name"); !given.IsUndefined()) config.name = string_argument(given, "options.name");
  each_property(options, "autoload", [&](const std::string& key, const Napi::Value& one) {
    if (!one.IsBoolean()) throw argument_failure("options.autoload." + key + " must be a boolean");
    config.autoload[key] = one.As<Napi::Boolean>();
  });
  each_property(options, "globals", [&](const std::string& key, const Napi::Value& one) {
    config.globals.emplace_back(key, global_argument(one, key));
  });
  each_property(options, "maxEntries", [&](const std::string& key, const Napi::Value& one) {
    config.max_entries[key] = static_cast<uint32_t>(integer_argument(one, 1, UINT32_MAX, "options.maxEntries." + key));
  });
  each_property(options, "mapFlags", [&](const std::string& key, const Napi::Value& one) {
    config.map_flags[key] =
        static_cast<int64_t>(integer_argument(one, -double{UINT32_MAX}, UINT32_MAX, "options.mapFlags." + key));
  });
  each_property(options, "attachTargets", [&](const std::string& key, const Napi::Value& one) {
    config.attach_targets[key] = string_argument(one, ("options.attachTargets." + key).c_str());
  });
  each_property(options, "sharedMaps", [&](const std::string& key, const Napi::Value& one) {
    const Map& map = map_argument(one, "options.sharedMaps." + key);
    // libbpf would give the object's own map the other's name.
    if (map.name != key) throw argument_failure("options.sharedMaps." + key + " is map " + map.name + ": a map is shared under its own name");
    config.shared_maps[key] = {map.duplicate(), map.type, map.key_size, map.value_size};
  });
  if (const Napi::Value level = options.Get("logLevel"); !level.IsUndefined()) {
    config.log_level = static_cast<uint32_t>(integer_argument(level, 0, 2, "options.logLevel"));
  }
  return config;
}

Napi::Object program_result(Napi::Env env, const ProgramResult& result) {
  const auto text_or_null = [&](const std::string& text) -> Napi::Value {
    return text.empty() ? env.Null() : Napi::Value(Napi::String::New(env, text));
  };
  Napi::Object value = Napi::Object::New(env);
  value["program"] = Napi::String::New(env, result.program);
  value["ok"] = Napi::Boolean::New(env, result.ok);
  value["code"] = text_or_null(result.code);
  value["reason"] = text_or_null(result.reason);
  value["log"] = Napi::String::New(env, result.log);
  return value;
}

Napi::Array program_results(Napi::Env env, const std::vector<ProgramResult>& results) {
  Napi::Array array = Napi::Array::New(env, results.size());
  for (uint32_t i = 0; i < results.size(); i++) array.Set(i, program_result(env, results[i]));
  return array;
}

}  // namespace kbtop

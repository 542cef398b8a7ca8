using System.Collections.Frozen;
using System.Text;
using System.Text.Json;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Registry;
using Cluster.Grains.Objects;
using Cluster.Grains.Repository;
using Cluster.Grains.Repository.Files;
using Cluster.Grains.Repository.Json;
using Cluster.Grains.Repository.Settings;

namespace Cluster.Grains.Registry;

/// <summary>What a registration may say. Nothing here looks at a file.</summary>
internal static class RegisteredModelRules
{
    private const int MaxTypeLength = 255;
    private const int MaxPathLength = 4096;
    private const int MaxKeyLength = 64 * 1024;
    private const string Format = "onnx";
    private const string FormatLabel = "mt:" + Format;
    private const string RuntimeLabel = "rt:";

    /// <exception cref="ServingException">INVALID_ARGUMENT, with the value and what would be right.</exception>
    public static void Check(string model, RegisteredInfo info)
    {
        CheckName(model, "model");
        if (TypeProblem(info.Type) is { } type)
        {
            throw ServingException.InvalidArgument($"model '{model}': {type}; expected onnx, mt:onnx or rt:<runtime>");
        }

        if (PathProblem(info.Path) is { } path)
        {
            throw ServingException.InvalidArgument(
                $"model '{model}': path {path}; expected a .onnx file or a folder, relative to the server's folder of registered models, or an address of s3://");
        }

        ReadKey(model, info.Key);
        var errors = new JsonErrors();
        if (StorageKey.Read(info.Key, errors) is null)
        {
            return;
        }

        if (errors.Any)
        {
            throw ServingException.InvalidArgument($"model '{model}': key names a storage source and is wrong: {errors}");
        }

        if (ObjectAddress.IsAddress(info.Path))
        {
            throw ServingException.InvalidArgument($"model '{model}': path is an address although key names a storage source; expected a path in that source");
        }
    }

    /// <exception cref="ServingException">INVALID_ARGUMENT: no model or alias can be called so.</exception>
    public static void CheckName(string name, string what)
    {
        if (ModelName.ProblemOf(name, what) is { } problem)
        {
            throw ServingException.InvalidArgument(problem);
        }
    }

    /// <summary>The settings that a key holds; null for an empty one.</summary>
    /// <exception cref="ServingException">INVALID_ARGUMENT: not the JSON of a model.json, with everything that is wrong.</exception>
    public static ModelDefinition? ReadKey(string model, string key)
    {
        if (key.Length == 0)
        {
            return null;
        }

        if (key.Length > MaxKeyLength)
        {
            throw ServingException.InvalidArgument($"model '{model}': key has {key.Length} characters, expected at most {MaxKeyLength}");
        }

        if (StorageKey.Read(key) is { } storage)
        {
            key = storage.Settings;
            if (key.Length == 0)
            {
                return null;
            }
        }

        var errors = new JsonErrors();
        return ModelSettingsReader.Read(Encoding.UTF8.GetBytes(key), errors)
            ?? throw ServingException.InvalidArgument($"model '{model}': key is no model.json: {errors}");
    }

    private static string? TypeProblem(string type)
    {
        if (type.Length is 0 or > MaxTypeLength)
        {
            return type.Length == 0 ? "type is empty" : $"type is longer than {MaxTypeLength} characters";
        }

        // What follows the first bar names protocols, and what follows the format its version: ONNX Runtime reads every version.
        var label = type.Split('|')[0];
        var fits = label == Format
            || label == FormatLabel
            || label.StartsWith(FormatLabel + ":", StringComparison.Ordinal)
            || (label.StartsWith(RuntimeLabel, StringComparison.Ordinal) && label.Length > RuntimeLabel.Length);
        return fits ? null : $"type '{type}' is not served here";
    }

    private static string? PathProblem(string path) => path switch
    {
        "" => "is empty",
        { Length: > MaxPathLength } => $"is longer than {MaxPathLength} characters",
        _ when path.Any(char.IsControl) => "has a control character",
        _ when ObjectAddress.IsAddress(path) => ObjectAddress.Parse(path) is { Key.Length: > 0 } ? null : $"'{path}' is not of the form {ObjectAddress.Form}",
        _ when path.Contains("://", StringComparison.Ordinal) => $"'{path}' is an address of a store that is not read, which must be mounted",
        _ when Path.IsPathRooted(path) => $"'{path}' is absolute",
        _ when path.Contains('\\') => $"'{path}' has a backslash",
        _ when RealPath.HasParentSegment(path) => $"'{path}' has '..'",
        _ => null,
    };
}

/// <summary>
/// What ModelMesh Serving writes into a registration's key: the name of a storage source beside what it knows of the model. Settings of a model.json may stand beside it.
/// </summary>
/// <param name="Name">Of the storage source.</param>
/// <param name="Bucket">The bucket that has to be the source's; null where none is named.</param>
/// <param name="Settings">The other members, a model.json; empty where there is none.</param>
internal sealed record StorageKey(string Name, string? Bucket, string Settings)
{
    private const string NameKey = "storage_key";
    private const string BucketKey = "bucket";
    private const string Parameters = "storage_params";

    /// <summary>ModelMesh's members. Those that are not read here are for its own pullers.</summary>
    private static readonly FrozenSet<string> Known = FrozenSet.Create(NameKey, BucketKey, Parameters, "model_type", "disk_size_bytes");

    /// <param name="errors">Gets what is wrong with ModelMesh's members, and keys that are given twice; the reader of settings finds the rest. Null where that was asked before.</param>
    /// <returns>Null where the key names no storage source.</returns>
    public static StorageKey? Read(string key, JsonErrors? errors = null)
    {
        errors ??= new JsonErrors();
        if (!key.Contains(NameKey, StringComparison.Ordinal) || JsonTree.Parse(Encoding.UTF8.GetBytes(key), errors) is not { Kind: JsonValueKind.Object } top)
        {
            return null;
        }

        if (Find(top, NameKey) is not { Value: { Kind: JsonValueKind.String, Text: { Length: > 0 } name } })
        {
            return null;
        }

        var parameters = Find(top, Parameters);
        var inner = parameters is null || JsonExpect.Members(parameters, errors).IsEmpty ? null : BucketOf(parameters.Value, errors);
        var bucket = BucketOf(top, errors) ?? inner;
        var rest = top with { Members = [.. top.Members.Where(static member => !Known.Contains(member.Name))] };
        return new StorageKey(name, bucket, rest.Members.IsEmpty ? "" : rest.ToJson());
    }

    private static string? BucketOf(JsonItem item, JsonErrors errors) => Find(item, BucketKey) is { } bucket ? JsonExpect.String(bucket, errors) : null;

    /// <summary>Null where there is none, or null stands there.</summary>
    private static JsonMember? Find(JsonItem item, string name) => item.Members.FirstOrDefault(member => member.Name == name && member.Value.Kind != JsonValueKind.Null);
}

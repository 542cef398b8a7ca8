using System.Text.Json;
using Cluster.Contracts.Protocol;

namespace Cluster.Gateway.Rest;

/// <summary>Statistics with every duration and the version always there: clients read them without asking whether they are.</summary>
internal static class StatisticsJson
{
    public static void Write(Utf8JsonWriter json, ModelStatisticsResponse response)
    {
        json.WriteStartObject();
        json.WriteStartArray("model_stats"u8);
        foreach (var model in response.ModelStats)
        {
            Write(json, model);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, ModelStatistics model)
    {
        var inference = model.InferenceStats ?? new InferStatistics();
        json.WriteStartObject();
        json.WriteString("name"u8, model.Name);
        json.WriteString("version"u8, model.Version);
        json.WriteNumber("last_inference"u8, model.LastInference);
        json.WriteNumber("inference_count"u8, model.InferenceCount);
        json.WriteNumber("execution_count"u8, model.ExecutionCount);
        json.WriteStartObject("inference_stats"u8);
        Write(json, "success"u8, inference.Success);
        Write(json, "fail"u8, inference.Fail);
        Write(json, "queue"u8, inference.Queue);
        Write(json, "compute_input"u8, inference.ComputeInput);
        Write(json, "compute_infer"u8, inference.ComputeInfer);
        Write(json, "compute_output"u8, inference.ComputeOutput);
        Write(json, "cache_hit"u8, inference.CacheHit);
        Write(json, "cache_miss"u8, inference.CacheMiss);
        json.WriteEndObject();
        WriteResponses(json, model);
        WriteBatches(json, model);
        WriteMemory(json, model);
        json.WriteEndObject();
    }

    private static void WriteResponses(Utf8JsonWriter json, ModelStatistics model)
    {
        json.WriteStartObject("response_stats"u8);
        foreach (var (key, response) in model.ResponseStats)
        {
            json.WriteStartObject(key);
            Write(json, "compute_infer"u8, response.ComputeInfer);
            Write(json, "compute_output"u8, response.ComputeOutput);
            Write(json, "success"u8, response.Success);
            Write(json, "fail"u8, response.Fail);
            Write(json, "empty_response"u8, response.EmptyResponse);
            Write(json, "cancel"u8, response.Cancel);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void WriteBatches(Utf8JsonWriter json, ModelStatistics model)
    {
        json.WriteStartArray("batch_stats"u8);
        foreach (var batch in model.BatchStats)
        {
            json.WriteStartObject();
            json.WriteNumber("batch_size"u8, batch.BatchSize);
            Write(json, "compute_input"u8, batch.ComputeInput);
            Write(json, "compute_infer"u8, batch.ComputeInfer);
            Write(json, "compute_output"u8, batch.ComputeOutput);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteMemory(Utf8JsonWriter json, ModelStatistics model)
    {
        json.WriteStartArray("memory_usage"u8);
        foreach (var usage in model.MemoryUsage)
        {
            json.WriteStartObject();
            json.WriteString("type"u8, usage.Type);
            json.WriteNumber("id"u8, usage.Id);
            json.WriteNumber("byte_size"u8, usage.ByteSize);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, ReadOnlySpan<byte> name, StatisticDuration? duration)
    {
        json.WriteStartObject(name);
        json.WriteNumber("count"u8, duration?.Count ?? 0);
        json.WriteNumber("ns"u8, duration?.Ns ?? 0);
        json.WriteEndObject();
    }
}

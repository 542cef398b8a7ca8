using System.Text.Json.Serialization;

namespace Cluster.Bench.Overhead;

/// <summary>How a model is called.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Way>))]
internal enum Way
{
    InProcess,
    Grpc,
    Rest,
}

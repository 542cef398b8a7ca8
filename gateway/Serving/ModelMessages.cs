using System.Globalization;
using Cluster.Contracts.Models;
using Cluster.Contracts.Protocol;
using Cluster.Contracts.Wire;

namespace Cluster.Gateway.Serving;

/// <summary>Turns what replicas tell into the protocol's messages.</summary>
internal static class ModelMessages
{
    /// <summary>The Open Inference Protocol's word for ONNX models.</summary>
    private const string Platform = "onnx_onnxv1";

    /// <summary>What the configuration calls the same, as clients of the model_configuration extension know it.</summary>
    private const string ConfigPlatform = "onnxruntime_onnx";

    /// <summary>Inputs with a default, often the graph's weights, are left to the configuration. Clients take each input here for one that they must send.</summary>
    public static ModelMetadataResponse Metadata(ModelDescription model, IEnumerable<string> versions)
    {
        var metadata = new ModelMetadataResponse { Name = model.Name, Platform = Platform };
        metadata.Versions.AddRange(versions);
        metadata.Inputs.AddRange(model.Inputs.Where(static input => !input.Optional).Select(Tensor));
        metadata.Outputs.AddRange(model.Outputs.Select(Tensor));
        metadata.Properties.Add(model.Properties.ToDictionary());
        metadata.Properties["execution_provider"] = Provider(model);
        return metadata;
    }

    /// <summary>The configuration as it is in force. Without a configured <c>max_batch_size</c> that is 0 and dims are whole shapes, else they are without the batch.</summary>
    public static ModelConfig Config(ModelDescription model)
    {
        var config = new ModelConfig
        {
            Name = model.Name,
            Platform = ConfigPlatform,
            Backend = "onnxruntime",
            MaxBatchSize = model.MaxBatchSize,
            VersionPolicy = Policy(model.VersionPolicy),
            DefaultModelFilename = model.FileName,
            ModelTransactionPolicy = new ModelTransactionPolicy(),
            ResponseCache = new ModelResponseCache { Enable = model.CachesResponses },
        };
        config.Input.AddRange(model.Inputs.Select(input => new ModelInput
        {
            Name = input.Name,
            DataType = ConfigType(input.Datatype),
            Format = Format(model.Formats.GetValueOrDefault(input.Name)),
            Dims = { input.Optional ? input.Shape : Dims(model, input) },
            Optional = input.Optional,
        }));
        config.Output.AddRange(model.Outputs.Select(output => new ModelOutput
        {
            Name = output.Name,
            DataType = ConfigType(output.Datatype),
            Dims = { Dims(model, output) },
            LabelFilename = model.Labels.GetValueOrDefault(output.Name, ""),
        }));
        config.InstanceGroup.Add(new ModelInstanceGroup
        {
            Name = model.Name,
            Count = model.Concurrency,
            Kind = ModelInstanceGroup.Types.Kind.Cpu,
        });
        if (model.Batching.IsOn)
        {
            config.DynamicBatching = new ModelDynamicBatching
            {
                PreferredBatchSize = { model.Batching.PreferredSizes },
                MaxQueueDelayMicroseconds = (ulong)model.Batching.MaxDelay.TotalMicroseconds,
            };
            AddParameter(config, "batching_max_size", model.Batching.MaxSize.ToString(CultureInfo.InvariantCulture));
        }

        AddParameter(config, "execution_provider", Provider(model));
        if (model.Device.Length > 0)
        {
            AddParameter(config, "device", model.Device);
        }

        if (model.ProviderReason.Length > 0)
        {
            AddParameter(config, "execution_provider_reason", model.ProviderReason);
        }

        AddParameter(config, "intra_op_threads", model.IntraOpThreads.ToString(CultureInfo.InvariantCulture));
        AddParameter(config, "queue_limit", model.QueueLimit.ToString(CultureInfo.InvariantCulture));
        if (!model.Unserved.IsEmpty)
        {
            AddParameter(config, "unserved_outputs", string.Join(", ", model.Unserved.Keys));
        }

        return config;
    }

    /// <summary>One version's statistics, summed over its replicas.</summary>
    public static ModelStatistics Statistics(string model, string version, IReadOnlyList<ReplicaStatistics> replicas)
    {
        var statistics = new ModelStatistics
        {
            Name = model,
            Version = version,
            LastInference = (ulong)(replicas.Max(replica => replica.LastInference)?.ToUnixTimeMilliseconds() ?? 0),
            InferenceCount = (ulong)replicas.Sum(replica => replica.InferenceCount),
            ExecutionCount = (ulong)replicas.Sum(replica => replica.ExecutionCount),
            ExecutionProvider = string.Join(',', replicas.SelectMany(static replica => replica.Providers).Distinct().Order().Select(static provider => provider == ExecutionProvider.OpenVino ? "openvino" : "cpu")),
            InferenceStats = new InferStatistics
            {
                Success = Sum(replicas, replica => replica.Success),
                Fail = Sum(replicas, replica => replica.Fail),
                Cancel = Sum(replicas, replica => replica.Cancel),
                Queue = Sum(replicas, replica => replica.Queue),
                ComputeInput = Sum(replicas, replica => replica.ComputeInput),
                ComputeInfer = Sum(replicas, replica => replica.ComputeInfer),
                ComputeOutput = Sum(replicas, replica => replica.ComputeOutput),
                CacheHit = Sum(replicas, replica => replica.CacheHit),
                CacheMiss = Sum(replicas, replica => replica.CacheMiss),
            },
        };
        foreach (var batch in replicas.SelectMany(replica => replica.Batches).GroupBy(batch => batch.Key).OrderBy(batch => batch.Key))
        {
            var totals = batch.Select(entry => entry.Value).ToList();
            statistics.BatchStats.Add(new InferBatchStatistics
            {
                BatchSize = (ulong)batch.Key,
                ComputeInput = Sum(totals, total => total.Input),
                ComputeInfer = Sum(totals, total => total.Infer),
                ComputeOutput = Sum(totals, total => total.Output),
            });
        }

        return statistics;
    }

    private static string Provider(ModelDescription model) => model.ExecutionProvider == ExecutionProvider.OpenVino ? "openvino" : "cpu";

    private static IEnumerable<long> Dims(ModelDescription model, TensorSpec tensor) => model.MaxBatchSize > 0 ? tensor.Shape.Skip(1) : tensor.Shape;

    private static ModelInput.Types.Format Format(ImageFormat format) => format switch
    {
        ImageFormat.Nhwc => ModelInput.Types.Format.Nhwc,
        ImageFormat.Nchw => ModelInput.Types.Format.Nchw,
        _ => ModelInput.Types.Format.None,
    };

    private static ModelMetadataResponse.Types.TensorMetadata Tensor(TensorSpec tensor) =>
        new() { Name = tensor.Name, Datatype = tensor.Datatype.Name(), Shape = { tensor.Shape } };

    private static StatisticDuration Sum<T>(IEnumerable<T> items, Func<T, DurationTotal> select)
    {
        var sum = items.Select(select).Aggregate(default(DurationTotal), DurationTotal.Add);
        return new StatisticDuration { Count = (ulong)sum.Count, Ns = (ulong)sum.Nanoseconds };
    }

    private static void AddParameter(ModelConfig config, string name, string value) =>
        config.Parameters.Add(name, new ModelParameter { StringValue = value });

    private static ModelVersionPolicy Policy(VersionPolicy policy) => policy.Kind switch
    {
        VersionPolicyKind.All => new ModelVersionPolicy { All = new ModelVersionPolicy.Types.All() },
        VersionPolicyKind.Specific => new ModelVersionPolicy { Specific = new ModelVersionPolicy.Types.Specific { Versions = { policy.Versions } } },
        _ => new ModelVersionPolicy { Latest = new ModelVersionPolicy.Types.Latest { NumVersions = (uint)policy.Count } },
    };

    private static DataType ConfigType(Datatype datatype) => datatype switch
    {
        Datatype.Bool => DataType.TypeBool,
        Datatype.UInt8 => DataType.TypeUint8,
        Datatype.UInt16 => DataType.TypeUint16,
        Datatype.UInt32 => DataType.TypeUint32,
        Datatype.UInt64 => DataType.TypeUint64,
        Datatype.Int8 => DataType.TypeInt8,
        Datatype.Int16 => DataType.TypeInt16,
        Datatype.Int32 => DataType.TypeInt32,
        Datatype.Int64 => DataType.TypeInt64,
        Datatype.Fp16 => DataType.TypeFp16,
        Datatype.Bf16 => DataType.TypeBf16,
        Datatype.Fp32 => DataType.TypeFp32,
        Datatype.Fp64 => DataType.TypeFp64,
        Datatype.Bytes => DataType.TypeString,
        Datatype.Unknown => DataType.TypeInvalid,
    };
}

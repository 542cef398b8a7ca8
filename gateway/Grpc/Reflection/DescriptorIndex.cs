using System.Collections.Frozen;
using Google.Protobuf.Reflection;

namespace Cluster.Gateway.Grpc.Reflection;

/// <summary>Protocol files by name and by the symbols they define, for a set of services and all that their files import.</summary>
internal sealed class DescriptorIndex
{
    private readonly FrozenDictionary<string, FileDescriptor> _files;
    private readonly FrozenDictionary<string, FileDescriptor> _symbols;
    private readonly FrozenSet<string> _messages;

    public DescriptorIndex(IReadOnlyList<ServiceDescriptor> services)
    {
        Services = services;
        var files = new Dictionary<string, FileDescriptor>(StringComparer.Ordinal);
        foreach (var service in services)
        {
            Collect(service.File, files);
        }

        var symbols = new Dictionary<string, FileDescriptor>(StringComparer.Ordinal);
        var messages = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in files.Values)
        {
            foreach (var descriptor in Definitions(file))
            {
                symbols[descriptor.FullName] = file;
                if (descriptor is MessageDescriptor)
                {
                    messages.Add(descriptor.FullName);
                }
            }
        }

        _files = files.ToFrozenDictionary(StringComparer.Ordinal);
        _symbols = symbols.ToFrozenDictionary(StringComparer.Ordinal);
        _messages = messages.ToFrozenSet(StringComparer.Ordinal);
    }

    public IReadOnlyList<ServiceDescriptor> Services { get; }

    public FileDescriptor? FindFile(string name) => _files.GetValueOrDefault(name);

    /// <summary>The file that defines a service, method, message, enum or enum value; names are full, without a leading dot.</summary>
    public FileDescriptor? FindSymbol(string fullName) => _symbols.GetValueOrDefault(fullName);

    public bool HasMessage(string fullName) => _messages.Contains(fullName);

    /// <summary>The file first, then everything it imports, each once.</summary>
    public static IReadOnlyCollection<FileDescriptor> WithDependencies(FileDescriptor file)
    {
        var files = new Dictionary<string, FileDescriptor>(StringComparer.Ordinal);
        Collect(file, files);
        return files.Values;
    }

    private static void Collect(FileDescriptor file, Dictionary<string, FileDescriptor> files)
    {
        if (!files.TryAdd(file.Name, file))
        {
            return;
        }

        foreach (var dependency in file.Dependencies)
        {
            Collect(dependency, files);
        }
    }

    private static IEnumerable<IDescriptor> Definitions(FileDescriptor file) =>
    [
        .. file.Services,
        .. file.Services.SelectMany(service => service.Methods),
        .. file.MessageTypes.SelectMany(Definitions),
        .. file.EnumTypes.SelectMany(Definitions),
    ];

    private static IEnumerable<IDescriptor> Definitions(MessageDescriptor message) =>
    [
        message,
        .. message.NestedTypes.SelectMany(Definitions),
        .. message.EnumTypes.SelectMany(Definitions),
    ];

    private static IEnumerable<IDescriptor> Definitions(EnumDescriptor type) => [type, .. type.Values];
}

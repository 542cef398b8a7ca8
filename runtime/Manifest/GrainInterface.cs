using Cluster.Runtime.CodeGeneration;

namespace Cluster.Runtime;

/// <summary>A grain interface: its proxy and the classes that implement it.</summary>
internal sealed class GrainInterface
{
    private readonly Type _type;
    private readonly GrainClass[] _classes;
    private readonly GrainType? _default;

    public GrainInterface(Type type, Func<GrainReferenceSeed, GrainReference> createReference, GrainClass[] classes)
    {
        _type = type;
        _classes = classes;
        CreateReference = createReference;
        var byName = GrainType.Create(GrainNames.OfInterface(type));
        _default = classes.Length switch
        {
            // The class is in another process, which names it by the same convention.
            0 => byName,
            1 => classes[0].GrainType,
            _ => classes.Any(c => c.GrainType == byName) ? byName : null,
        };
    }

    public Func<GrainReferenceSeed, GrainReference> CreateReference { get; }

    /// <exception cref="ArgumentException">Not exactly one class fits.</exception>
    public GrainType GetGrainType(string? classNamePrefix)
    {
        if (classNamePrefix is null)
        {
            return _default ?? throw Ambiguous("several grain classes", _classes);
        }

        var fitting = _classes.Where(c => c.Type.FullName!.StartsWith(classNamePrefix, StringComparison.Ordinal)).ToArray();
        return fitting.Length == 1
            ? fitting[0].GrainType
            : throw Ambiguous($"{fitting.Length} grain classes whose name starts with '{classNamePrefix}'", fitting);
    }

    private ArgumentException Ambiguous(string what, GrainClass[] classes) =>
        new($"{what} implement {_type}: {string.Join(", ", classes.Select(static c => c.Type.FullName))}");
}

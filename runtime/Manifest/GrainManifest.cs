using System.Collections.Concurrent;
using System.Reflection;
using Cluster.Runtime.CodeGeneration;

namespace Cluster.Runtime;

/// <summary>
/// The grain interfaces and classes of this process. Classes come from the assemblies named in the options; the proxies of
/// an interface also from its own assembly, when it is first asked for.
/// </summary>
internal sealed class GrainManifest : IApplicationPartSink
{
    private readonly TimeSpan _defaultCollectionAge;
    private readonly HashSet<Assembly> _described = [];
    private readonly Dictionary<GrainType, GrainClass> _classes = [];
    private readonly Dictionary<Type, List<GrainClass>> _implementations = [];
    private readonly Dictionary<Type, Func<GrainReferenceSeed, GrainReference>> _proxies = [];
    private readonly ConcurrentDictionary<Type, GrainInterface> _interfaces = new();
    private readonly ConcurrentDictionary<ulong, GrainMethod> _methods = new();
    private readonly ConcurrentDictionary<Type, ExceptionCodec> _exceptions = new();
    private readonly ConcurrentDictionary<string, ExceptionCodec> _exceptionsByAlias = new();
    private readonly HashSet<Assembly> _searched = [];
    private readonly Lock _lock = new();
    private bool _acceptsClasses = true;

    /// <exception cref="InvalidOperationException">Two classes have the same grain type, or an assembly describes nothing.</exception>
    public GrainManifest(IEnumerable<Assembly> parts, TimeSpan defaultCollectionAge)
    {
        _defaultCollectionAge = defaultCollectionAge;
        foreach (var assembly in parts)
        {
            if (!Describe(assembly))
            {
                throw new InvalidOperationException($"{assembly.GetName().Name} has no generated grain manifest: it declares no grain interface or class");
            }
        }

        _acceptsClasses = false;

        // Calls from elsewhere name methods of interfaces that nobody here may have asked for.
        foreach (var assembly in _implementations.Keys.Select(static type => type.Assembly).ToArray())
        {
            Describe(assembly);
        }
    }

    public IEnumerable<GrainClass> Classes => _classes.Values;

    /// <exception cref="InvalidOperationException">This process has no such class.</exception>
    public GrainClass GetClass(GrainType type) =>
        FindClass(type) ?? throw new InvalidOperationException($"no grain class of type '{type}' is registered in this silo");

    public GrainClass? FindClass(GrainType type) => _classes.GetValueOrDefault(type);

    /// <exception cref="ArgumentException">The type has no generated proxy.</exception>
    public GrainInterface GetInterface(Type type) => _interfaces.TryGetValue(type, out var known) ? known : _interfaces.GetOrAdd(type, Resolve);

    /// <summary>How exceptions of that type travel; null: only their name and message do.</summary>
    public ExceptionCodec? FindException(Type type) => _exceptions.GetValueOrDefault(type);

    /// <summary>How exceptions with that alias travel.</summary>
    public ExceptionCodec? FindException(string alias) => _exceptionsByAlias.GetValueOrDefault(alias);

    /// <summary>The method with that number on the wire; null if no assembly that this process knows of declares it.</summary>
    public GrainMethod? FindMethod(ulong wireId) => _methods.GetValueOrDefault(wireId);

    void IApplicationPartSink.AddInterface(Type grainInterface, Func<GrainReferenceSeed, GrainReference> createReference, GrainMethod[] methods)
    {
        _proxies[grainInterface] = createReference;
        foreach (var method in methods)
        {
            var known = _methods.GetOrAdd(method.WireId, method);
            if (known.ToString() != method.ToString())
            {
                throw new InvalidOperationException($"{known} and {method} have the same number on the wire; give one of them another [Alias]");
            }
        }
    }

    void IApplicationPartSink.AddClass(Type grainClass, params Type[] grainInterfaces)
    {
        if (!_acceptsClasses)
        {
            return;
        }

        var added = new GrainClass(grainClass, _defaultCollectionAge);
        if (!_classes.TryAdd(added.GrainType, added))
        {
            throw new InvalidOperationException($"{grainClass} and {_classes[added.GrainType].Type} are both grain type '{added.GrainType}'");
        }

        foreach (var grainInterface in grainInterfaces)
        {
            if (!_implementations.TryGetValue(grainInterface, out var classes))
            {
                _implementations[grainInterface] = classes = [];
            }

            classes.Add(added);
        }
    }

    private GrainInterface Resolve(Type type)
    {
        lock (_lock)
        {
            Describe(type.Assembly);
            if (!_proxies.TryGetValue(type, out var create))
            {
                throw new ArgumentException($"{type} has no generated proxy: is it a grain interface, and does its project use the grain generator?");
            }

            return new GrainInterface(type, create, _implementations.TryGetValue(type, out var classes) ? [.. classes] : []);
        }
    }

    private bool Describe(Assembly assembly)
    {
        if (!_described.Add(assembly))
        {
            return true;
        }

        var part = assembly.GetCustomAttribute<ApplicationPartAttribute>()?.Part;
        if (part is null)
        {
            return false;
        }

        ((IApplicationPart)Activator.CreateInstance(part)!).Describe(this);
        AddExceptions(assembly);
        return true;
    }

    // Grains also throw exceptions of the assemblies that theirs builds on.
    private void AddExceptions(Assembly assembly)
    {
        if (!_searched.Add(assembly))
        {
            return;
        }

        foreach (var codec in assembly.GetCustomAttributes<WireCodecAttribute>().Where(static codec => codec.ValueType.IsAssignableTo(typeof(Exception))))
        {
            var exception = ExceptionCodec.Create(codec);
            _exceptions.TryAdd(codec.ValueType, exception);
            if (!_exceptionsByAlias.TryAdd(codec.Alias, exception))
            {
                throw new InvalidOperationException($"two exceptions have the alias '{codec.Alias}'; {codec.ValueType} is one");
            }
        }

        foreach (var reference in assembly.GetReferencedAssemblies().Where(static name => !IsFramework(name.Name!)))
        {
            AddExceptions(Assembly.Load(reference));
        }
    }

    private static bool IsFramework(string name) =>
        name.StartsWith("System.", StringComparison.Ordinal) || name.StartsWith("Microsoft.", StringComparison.Ordinal) || name is "netstandard" or "mscorlib";
}

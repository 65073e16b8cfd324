# Reads one JSON object into hashtables, arrays and plain values with the one reader that .NET Framework and .NET share
# (design page 7, ruling 18). ConvertFrom-Json is not used: it is in another module and differs between editions.
function ConvertFrom-SPJson {
    param(
        [byte[]]
        $Buffer,

        [int]
        $Offset,

        [int]
        $Count
    )
    $ErrorActionPreference = 'Stop'
    if ($PSVersionTable['PSEdition'] -eq 'Desktop') {
        [void][System.Reflection.Assembly]::Load(
            'System.Runtime.Serialization, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089')
    }
    $reader = [System.Runtime.Serialization.Json.JsonReaderWriterFactory]::CreateJsonReader(
        $Buffer, $Offset, $Count, [System.Xml.XmlDictionaryReaderQuotas]::Max)
    $open = [System.Collections.Generic.Stack[object]]::new()
    $root = $null
    [void]$reader.Read()
    while (-not $reader.EOF) {
        if ($reader.NodeType -eq 'EndElement') {
            $value = $open.Pop()
            if ($open.Count -eq 0) {
                $root = $value
            }
            [void]$reader.Read()
            continue
        }
        if ($reader.NodeType -ne 'Element') {
            [void]$reader.Read()
            continue
        }
        # A key that is no XML name stands in the attribute `item`.
        $name = $reader.LocalName
        $type = $reader.GetAttribute('type')
        $item = $reader.GetAttribute('item')
        if ($null -ne $item) {
            $name = $item
        }
        if ($type -eq 'object') {
            $value = @{}
            [void]$reader.Read()
        } elseif ($type -eq 'array') {
            $value = [System.Collections.Generic.List[object]]::new()
            [void]$reader.Read()
        } else {
            $text = $reader.ReadElementContentAsString()
            $value = $null
            if ($type -eq 'string') {
                $value = $text
            } elseif ($type -eq 'boolean') {
                $value = $text -eq 'true'
            } elseif ($type -eq 'number') {
                $value = ConvertFrom-SPNumber -Text $text
            }
        }
        if ($open.Count -gt 0) {
            $parent = $open.Peek()
            if ($parent -is [hashtable]) {
                $parent[$name] = $value
            } else {
                $parent.Add($value)
            }
        }
        if ($type -eq 'object' -or $type -eq 'array') {
            $open.Push($value)
        }
    }
    $reader.Dispose()
    return $root
}

function ConvertFrom-SPNumber {
    param(
        [string]
        $Text
    )
    $invariant = [System.Globalization.CultureInfo]::InvariantCulture
    $whole = [long]0
    if ([long]::TryParse($Text, [System.Globalization.NumberStyles]::AllowLeadingSign, $invariant, [ref]$whole)) {
        if ($whole -ge [int]::MinValue -and $whole -le [int]::MaxValue) {
            return [int]$whole
        }
        return $whole
    }
    return [double]::Parse($Text, $invariant)
}
